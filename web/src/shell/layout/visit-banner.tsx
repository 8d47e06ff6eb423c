import { Alert, Button, Group } from '@mantine/core';
import { IconLifebuoy } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createApi, reply } from '@/api/client';
import { useOrganization } from '@/kernel/tenancy/organization';
import { organizationsQuery } from '@/kernel/tenancy/queries';
import { notifyFailed } from '@/ui/notify';

const MINUTE = 60_000;

/** Says on every page that an operator of the installation is in the organisation to help, and for how long still. */
export function VisitBanner() {
  const { id, visit } = useOrganization();
  return visit === null ? null : <Visiting organizationId={id} visit={visit} />;
}

function Visiting({
  organizationId,
  visit,
}: {
  organizationId: string;
  visit: { id: string; ends_at: string };
}) {
  const { t } = useTranslation('shell');
  const { name } = useOrganization();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => {
      setNow(Date.now());
    }, MINUTE / 4);
    return () => {
      window.clearInterval(timer);
    };
  }, []);
  const leave = useMutation({
    mutationFn: () =>
      reply(
        createApi().DELETE('/api/v1/operator/organizations/{id}/visits/{visit}', {
          params: { path: { id: organizationId, visit: visit.id } },
        }),
      ),
    onSuccess: async () => {
      await navigate({ to: '/operator/organizations' });
      client.removeQueries({ queryKey: [organizationId] });
      await client.invalidateQueries({ queryKey: organizationsQuery().queryKey });
      await client.invalidateQueries({ queryKey: ['operator', 'visits'] });
    },
    onError: notifyFailed,
  });
  const minutes = Math.max(0, Math.ceil((new Date(visit.ends_at).getTime() - now) / MINUTE));
  return (
    <Alert color="yellow" icon={<IconLifebuoy />} mb="lg" data-testid="visit-banner">
      <Group justify="space-between" gap="sm">
        <span>
          {t('visit.text', { organization: name })} {t('visit.left', { count: minutes })}
        </span>
        <Button
          size="xs"
          variant="default"
          loading={leave.isPending}
          onClick={() => {
            leave.mutate();
          }}
        >
          {t('visit.leave')}
        </Button>
      </Group>
    </Alert>
  );
}
