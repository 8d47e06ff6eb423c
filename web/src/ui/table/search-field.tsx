import { CloseButton, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

/** Search box that writes to the address a moment after the last key. */
export function SearchField({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  const { t } = useTranslation('ui');
  const [typed, setTyped] = useState(value);
  const [seen, setSeen] = useState(value);
  const [announced, setAnnounced] = useState(value);
  const announce = useDebouncedCallback((next: string) => {
    setAnnounced(next);
    onChange(next);
  }, 250);

  // Only a change by other means, such as "back", may overwrite what is being typed.
  if (value !== seen) {
    setSeen(value);
    if (value !== announced) {
      setAnnounced(value);
      setTyped(value);
    }
  }

  const type = (next: string) => {
    setTyped(next);
    announce(next.trim());
  };

  return (
    <TextInput
      type="search"
      aria-label={label}
      placeholder={label}
      value={typed}
      w={{ base: '100%', sm: 272 }}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={
        typed === '' ? null : (
          <CloseButton
            size="sm"
            aria-label={t('table.clearSearch')}
            onClick={() => {
              type('');
            }}
          />
        )
      }
      onChange={(event) => {
        type(event.currentTarget.value);
      }}
    />
  );
}
