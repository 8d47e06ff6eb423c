import { Textarea } from '@mantine/core';
import { useTranslation } from 'react-i18next';

/** Why an operator does something, for those who read about it. */
export function ReasonField({
  value,
  onChange,
  missing,
  optional = false,
}: {
  value: string;
  onChange: (value: string) => void;
  missing: boolean;
  optional?: boolean;
}) {
  const { t } = useTranslation('operator');
  return (
    <Textarea
      label={t(optional ? 'visit.reasonOptional' : 'visit.reason')}
      value={value}
      maxLength={500}
      autosize
      minRows={2}
      data-autofocus
      error={missing ? t('visit.reasonMissing') : null}
      onChange={(event) => {
        onChange(event.currentTarget.value);
      }}
    />
  );
}
