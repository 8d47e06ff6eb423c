import { TextInput, type TextInputProps } from '@mantine/core';

/** Takes the digits of an authenticator app or a text message. */
export function CodeField(props: TextInputProps) {
  return (
    <TextInput
      name="code"
      inputMode="numeric"
      autoComplete="one-time-code"
      maxLength={12}
      required
      withAsterisk={false}
      {...props}
    />
  );
}

/** What a typed code has to look like; people copy blanks along with it. */
export function isCode(text: string): boolean {
  return /^\d{6}$/.test(text.replaceAll(/\s/g, ''));
}

/** The same for a code of a text message, whose length the operator sets. */
export function isTextCode(text: string): boolean {
  return /^\d{6,10}$/.test(text.replaceAll(/\s/g, ''));
}
