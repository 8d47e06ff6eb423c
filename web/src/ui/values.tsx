import { Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { formatDate, formatDateTime, formatInteger, formatMoney, formatPercent } from './format';

function Absent() {
  const { t } = useTranslation('ui');
  return (
    <Text span inherit c="dimmed">
      {t('empty')}
    </Text>
  );
}

export function Money({ amount, currency }: { amount: string | null; currency: string }) {
  const { i18n } = useTranslation();
  if (amount === null) return <Absent />;
  return <span className="tnum">{formatMoney(amount, currency, i18n.language)}</span>;
}

export function Percent({ value }: { value: string | number | null }) {
  const { i18n } = useTranslation();
  if (value === null) return <Absent />;
  return <span className="tnum">{formatPercent(value, i18n.language)}</span>;
}

export function Count({ value }: { value: number }) {
  const { i18n } = useTranslation();
  return <span className="tnum">{formatInteger(value, i18n.language)}</span>;
}

export function DateText({ value }: { value: string | null }) {
  const { i18n } = useTranslation();
  if (value === null) return <Absent />;
  return (
    <time dateTime={value} className="tnum nowrap">
      {formatDate(value, i18n.language)}
    </time>
  );
}

export function DateTimeText({ value }: { value: string | null }) {
  const { i18n } = useTranslation();
  if (value === null) return <Absent />;
  return (
    <time dateTime={value} className="tnum">
      {formatDateTime(value, i18n.language)}
    </time>
  );
}
