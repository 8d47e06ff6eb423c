import { Button, Divider, Stack } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { ErrorState } from '@/ui/states/error-state';
import { providersQuery, signInWith } from './api';
import { ProviderIcon } from './provider-icon';

/** One button for each provider there is; nothing where there is none, or where nobody can say: the form is there. */
export function ProviderButtons({ next, apart }: { next: string; apart: boolean }) {
  const { t } = useTranslation('providers');
  const { data: providers = [] } = useQuery(providersQuery());
  const mutation = useMutation({ mutationFn: (provider: string) => signInWith(provider, next) });
  if (providers.length === 0) return null;
  return (
    <Stack gap="sm" mt="md">
      {apart && <Divider label={t('or')} labelPosition="center" />}
      {mutation.isError && <ErrorState error={mutation.error} />}
      {providers.map(({ name, label }) => (
        <Button
          key={name}
          variant="default"
          leftSection={<ProviderIcon name={name} />}
          loading={mutation.isPending && mutation.variables === name}
          onClick={() => {
            mutation.mutate(name);
          }}
        >
          {t('signInWith', { provider: label })}
        </Button>
      ))}
    </Stack>
  );
}
