import { Anchor, Button, Card, Container, Group, Stack, Text, Title } from '@mantine/core';
import { IconMail, IconRefresh } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { createApi, reply, type Reply } from '@/api/client';
import { Brand } from '@/ui/brand';
import { EmptyState } from '@/ui/states/empty-state';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { DateTimeText } from '@/ui/values';

type KeptMail = Reply<'/api/v1/notifications/mailbox'>[number];

/** What a development installation keeps instead of sending. */
export function MailboxPage() {
  const { t } = useTranslation('notifications');
  const title = t('mailbox.title');
  useEffect(() => {
    document.title = `${title} · Tenon`;
  }, [title]);
  const mails = useQuery({
    queryKey: ['mailbox'],
    queryFn: () => reply(createApi().GET('/api/v1/notifications/mailbox')),
    retry: false,
    staleTime: 0,
  });
  return (
    <Container size="sm" py="xl" component="main" id="main">
      <Brand />
      <Group justify="space-between" align="flex-start" mt="xl" mb="lg">
        <div style={{ flex: 1 }}>
          <Title order={1} size="h2">
            {title}
          </Title>
          <Text c="dimmed" size="sm">
            {t('mailbox.description')}
          </Text>
        </div>
        <Button
          variant="default"
          leftSection={<IconRefresh size={16} aria-hidden />}
          loading={mails.isFetching}
          onClick={() => void mails.refetch()}
        >
          {t('mailbox.refresh')}
        </Button>
      </Group>
      {mails.isPending && <LoadingState />}
      {mails.isError && <ErrorState error={mails.error} />}
      {mails.data?.length === 0 && (
        <EmptyState icon={IconMail} title={t('mailbox.empty')}>
          {t('mailbox.emptyText')}
        </EmptyState>
      )}
      <Stack>
        {mails.data?.map((mail) => (
          <Mail key={mail.id} mail={mail} />
        ))}
      </Stack>
    </Container>
  );
}

function Mail({ mail }: { mail: KeptMail }) {
  const { t } = useTranslation('notifications');
  const title = mail.channel === 'sms' ? t('mailbox.text') : mail.subject;
  return (
    <Card component="article" aria-label={title}>
      <Group justify="space-between" align="baseline">
        <Title order={2} size="h5">
          {title}
        </Title>
        <Text size="xs" c="dimmed">
          <DateTimeText value={mail.created_at} />
        </Text>
      </Group>
      <Text size="sm" c="dimmed" mb="sm">
        {t('mailbox.to', { recipient: mail.recipient })}
      </Text>
      <Text size="sm" style={{ whiteSpace: 'pre-line', overflowWrap: 'anywhere' }}>
        <Linked text={mail.text} />
      </Text>
    </Card>
  );
}

/** Plain text with its addresses as links. */
function Linked({ text }: { text: string }) {
  return text.split(/(https?:\/\/\S+)/).map((part, index) =>
    index % 2 === 1 ? (
      <Anchor key={part} href={part} inherit underline="always">
        {part}
      </Anchor>
    ) : (
      part
    ),
  );
}
