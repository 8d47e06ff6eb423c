import { useForm } from '@mantine/form';
import { useMutation } from '@tanstack/react-query';

/** A form that takes one code and shows it; what was wrong is emptied, since each code is good once. */
export function useCodeForm({
  isGood,
  words,
  show,
  onDone,
}: {
  isGood: (code: string) => boolean;
  /** What a code looks like, for whoever typed something else. */
  words: string;
  show: (code: string) => Promise<void>;
  onDone: () => void;
}) {
  const form = useForm({
    initialValues: { code: '' },
    validate: { code: (value) => (isGood(value) ? null : words) },
  });
  const mutation = useMutation({
    // People copy blanks along with it.
    mutationFn: (code: string) => show(code.replaceAll(/\s/g, '')),
    onSuccess: onDone,
    onError: () => {
      form.setFieldValue('code', '');
    },
  });
  return {
    field: form.getInputProps('code'),
    mutation,
    onSubmit: form.onSubmit(({ code }) => {
      mutation.mutate(code);
    }),
  };
}
