import {
  Button,
  Card,
  ColorInput,
  FileButton,
  Group,
  Stack,
  Text,
  Title,
  useMantineTheme,
} from '@mantine/core';
import { IconPhoto, IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { requestHeaders } from '@/api/client';
import { asApiError, toApiError } from '@/api/errors';
import { contrastWithWhite, WORDS } from '@/ui/colour';
import { notifyDone } from '@/ui/notify';
import { PageHeader } from '@/ui/page-header';
import { ErrorState } from '@/ui/states/error-state';
import { useOrganization } from '../../organization';
import { OrganizationAvatar } from '../../organization-avatar';
import { organizationSessionQuery, organizationsQuery, settingsQuery } from '../../queries';
import { RequirePermission } from '../../require-permission';
import { useChangeOrganization } from '../use-change-organization';

/** Colours to begin with: on all of them white words can be read. */
const SWATCHES = [
  '#2f4f9e',
  '#00695c',
  '#2e7d32',
  '#8a5a00',
  '#b3261e',
  '#ad1457',
  '#6a1b9a',
  '#37474f',
];

export function LookPage() {
  const { t } = useTranslation('tenancy');
  return (
    <>
      <PageHeader title={t('look.title')} description={t('look.description')} />
      <RequirePermission permission="tenancy.organization.update">
        <Stack maw={640}>
          <LogoCard />
          <ColourCard />
        </Stack>
      </RequirePermission>
    </>
  );
}

async function sendLogo(organizationId: string, picture: File | null): Promise<void> {
  let response: Response;
  try {
    response = await fetch('/api/v1/tenancy/organization/logo', {
      method: picture === null ? 'DELETE' : 'PUT',
      headers: {
        ...(await requestHeaders(organizationId)),
        'content-type': 'application/octet-stream',
      },
      body: picture,
    });
  } catch (error) {
    throw asApiError(error);
  }
  if (!response.ok) throw toApiError(response.status, await response.json().catch(() => null));
}

function LogoCard() {
  const { t } = useTranslation('tenancy');
  const { id, name, logo } = useOrganization();
  const queryClient = useQueryClient();
  const mutation = useMutation({
    mutationFn: (picture: File | null) => sendLogo(id, picture),
    onSuccess: async () => {
      notifyDone(t('saved'));
      await Promise.all([
        queryClient.invalidateQueries({ queryKey: organizationsQuery().queryKey }),
        queryClient.invalidateQueries({ queryKey: organizationSessionQuery(id).queryKey }),
        queryClient.invalidateQueries({ queryKey: settingsQuery(id).queryKey }),
      ]);
    },
  });
  return (
    <Card component="section" padding="lg">
      <Title order={2} size="h4">
        {t('look.logo')}
      </Title>
      <Text size="sm" c="dimmed" mt={4}>
        {t('look.logoHint')}
      </Text>
      {mutation.isError && (
        <div style={{ marginTop: 16 }}>
          <ErrorState error={mutation.error} />
        </div>
      )}
      <Group mt="md">
        <OrganizationAvatar size={56} variant="filled" id={id} name={name} logo={logo} />
        <FileButton
          accept="image/png,image/jpeg,image/webp"
          onChange={(file) => {
            if (file !== null) mutation.mutate(file);
          }}
          inputProps={{ 'aria-label': t('look.choose') }}
        >
          {(props) => (
            <Button
              {...props}
              variant="default"
              loading={mutation.isPending}
              leftSection={<IconPhoto size={16} aria-hidden />}
            >
              {t('look.choose')}
            </Button>
          )}
        </FileButton>
        {logo !== null && (
          <Button
            variant="subtle"
            color="red"
            leftSection={<IconTrash size={16} aria-hidden />}
            onClick={() => {
              mutation.mutate(null);
            }}
          >
            {t('look.removeLogo')}
          </Button>
        )}
      </Group>
    </Card>
  );
}

function ColourCard() {
  const { t } = useTranslation('tenancy');
  const { themeColour } = useOrganization();
  const theme = useMantineTheme();
  const own = theme.colors.ink?.[7] ?? '';
  const [chosen, setChosen] = useState(themeColour ?? own);
  const mutation = useChangeOrganization();
  const contrast = contrastWithWhite(chosen);
  const readable = contrast >= WORDS;
  return (
    <Card component="section" padding="lg">
      <Title order={2} size="h4">
        {t('look.colour')}
      </Title>
      <Text size="sm" c="dimmed" mt={4}>
        {t('look.colourHint')}
      </Text>
      <Stack mt="md">
        {mutation.isError && <ErrorState error={mutation.error} />}
        <ColorInput
          label={t('look.colourLabel')}
          format="hex"
          swatches={SWATCHES}
          swatchesPerRow={8}
          withPicker={false}
          value={chosen}
          onChange={setChosen}
          popoverProps={{ withinPortal: true }}
          eyeDropperButtonProps={{ 'aria-label': t('look.pick') }}
          error={
            contrast === 0
              ? t('look.noColour')
              : readable
                ? null
                : t('look.unreadable', { contrast: contrast.toFixed(1) })
          }
        />
        <Group
          aria-hidden
          p="sm"
          style={{
            borderRadius: 'var(--mantine-radius-md)',
            background: contrast === 0 ? undefined : chosen,
            color: '#fff',
            fontWeight: 550,
          }}
        >
          {t('look.sample')}
        </Group>
        <Group justify="flex-end">
          {themeColour !== null && (
            <Button
              variant="default"
              onClick={() => {
                mutation.mutate({ theme_color: null });
              }}
            >
              {t('look.defaultColour')}
            </Button>
          )}
          <Button
            disabled={!readable || chosen === themeColour}
            loading={mutation.isPending}
            onClick={() => {
              mutation.mutate({ theme_color: chosen });
            }}
          >
            {t('save')}
          </Button>
        </Group>
      </Stack>
    </Card>
  );
}
