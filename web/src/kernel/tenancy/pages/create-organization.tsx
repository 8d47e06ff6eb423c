import { Button, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { createApi, reply } from '@/api/client';
import { AuthLayout } from '@/kernel/identity/auth-layout';
import { useSession } from '@/kernel/identity/session';
import { ErrorState } from '@/ui/states/error-state';
import { organizationsQuery } from '../queries';

export function CreateOrganizationPage() {
  const { t } = useTranslation('tenancy');
  const session = useSession();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const { data: organizations } = useQuery(organizationsQuery());
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { name: '' },
    validate: { name: (value) => (value.trim() === '' ? t('create.invalid') : null) },
  });
  const mutation = useMutation({
    mutationFn: ({ name }: typeof form.values) =>
      reply(createApi().POST('/api/v1/tenancy/organizations', { body: { name: name.trim() } })),
    onSuccess: async ({ slug }) => {
      await queryClient.invalidateQueries({ queryKey: organizationsQuery().queryKey });
      await navigate({ to: '/o/$org', params: { org: slug } });
    },
  });
  const isFirst = organizations?.length === 0;

  return (
    <AuthLayout
      title={isFirst ? t('create.firstTitle') : t('create.title')}
      description={t('create.description')}
      footer={
        session?.user.email === undefined
          ? undefined
          : t('create.signedInAs', { email: session.user.email })
      }
    >
      <form
        noValidate
        onSubmit={form.onSubmit((values) => {
          mutation.mutate(values);
        })}
      >
        <Stack>
          {mutation.isError && <ErrorState error={mutation.error} />}
          <TextInput
            name="organization"
            autoComplete="organization"
            autoFocus
            required
            withAsterisk={false}
            maxLength={120}
            label={t('create.name')}
            placeholder={t('create.placeholder')}
            key={form.key('name')}
            {...form.getInputProps('name')}
          />
          <Button type="submit" loading={mutation.isPending} mt="xs">
            {t('create.submit')}
          </Button>
        </Stack>
      </form>
    </AuthLayout>
  );
}
