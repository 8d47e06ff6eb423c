import {
  ActionIcon,
  Button,
  Group,
  Indicator,
  Popover,
  ScrollArea,
  Text,
  Title,
  VisuallyHidden,
} from '@mantine/core';
import { IconBell, IconCheck, IconSettings } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLiveEvents } from '@/kernel/live/use-live-events';
import { useOrganization } from '@/kernel/tenancy/organization';
import { notifyFailed } from '@/ui/notify';
import { EmptyState } from '@/ui/states/empty-state';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { DateTimeText } from '@/ui/values';
import classes from './bell.module.css';
import { markNotices, noticesQuery, type Notice, type ReadState } from './queries';

/** Without news over the wire, the list is asked for anew this often. */
const POLL_MS = 60_000;
/** More are counted as this many and more. */
const MOST = 99;

/** What the person was told in this organisation: how much of it is new, and the list behind it. */
export function Bell() {
  const { t } = useTranslation('notifications');
  const organization = useOrganization();
  const client = useQueryClient();
  const heading = useId();
  const [opened, setOpened] = useState(false);
  const query = noticesQuery(organization);
  const live = useLiveEvents(
    organization.id,
    `notifications:${organization.user.id}`,
    true,
    ({ type }) => {
      if (type !== 'closed') void client.invalidateQueries({ queryKey: query.queryKey });
    },
  );
  const notices = useInfiniteQuery({ ...query, refetchInterval: live ? false : POLL_MS });
  const mark = useMutation({
    mutationFn: (state: ReadState) => markNotices(organization, state),
    onError: notifyFailed,
    onSettled: () => client.invalidateQueries({ queryKey: query.queryKey }),
  });
  const list = notices.data?.pages.flatMap((page) => page.notices) ?? [];
  const unread = notices.data?.pages[0]?.unread ?? 0;
  const count = unread > MOST ? `${MOST}+` : String(unread);
  const newest = list[0];
  const label = unread === 0 ? t('bell.none') : t('bell.some', { count: unread });
  return (
    <>
      <VisuallyHidden role="status" aria-live="polite">
        {unread > 0 ? label : ''}
      </VisuallyHidden>
      <Popover
        opened={opened}
        onChange={setOpened}
        width={380}
        position="bottom-start"
        withinPortal
        trapFocus
        returnFocus
        shadow="md"
      >
        <Indicator label={count} size={16} offset={4} disabled={unread === 0} color="red.8">
          <Popover.Target>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={label}
              onClick={() => {
                setOpened(!opened);
              }}
              data-testid="bell"
            >
              <IconBell size={20} aria-hidden />
            </ActionIcon>
          </Popover.Target>
        </Indicator>
        <Popover.Dropdown p={0} maw="100vw" aria-labelledby={heading} data-testid="notices">
          <Group justify="space-between" px="sm" py="xs" wrap="nowrap">
            <Title order={2} size="h5" id={heading}>
              {t('bell.title')}
            </Title>
            <Group gap={4} wrap="nowrap">
              <Button
                size="compact-xs"
                variant="subtle"
                leftSection={<IconCheck size={14} aria-hidden />}
                disabled={unread === 0}
                loading={mark.isPending && mark.variables.ids === undefined}
                onClick={() => {
                  mark.mutate(newest === undefined ? {} : { until: newest.id });
                }}
              >
                {t('bell.readAll')}
              </Button>
              <ActionIcon
                component={Link}
                to="/account/notifications"
                variant="subtle"
                color="gray"
                size="sm"
                aria-label={t('bell.settings')}
              >
                <IconSettings size={16} aria-hidden />
              </ActionIcon>
            </Group>
          </Group>
          <ScrollArea.Autosize mah="min(60dvh, 460px)" type="auto">
            {notices.isPending && <LoadingState height={120} />}
            {notices.isError && (
              <div style={{ padding: 12 }}>
                <ErrorState error={notices.error} onRetry={() => void notices.refetch()} />
              </div>
            )}
            {notices.isSuccess && list.length === 0 && (
              <EmptyState plain icon={IconBell} title={t('bell.empty')}>
                {t('bell.emptyText')}
              </EmptyState>
            )}
            {list.length > 0 && (
              <ul className={classes.list} aria-labelledby={heading}>
                {list.map((notice) => (
                  <Entry
                    key={notice.id}
                    notice={notice}
                    slug={organization.slug}
                    onFollow={() => {
                      setOpened(false);
                      if (notice.read_at == null) mark.mutate({ ids: [notice.id] });
                    }}
                    onMark={() => {
                      mark.mutate({ ids: [notice.id], read: notice.read_at == null });
                    }}
                  />
                ))}
              </ul>
            )}
            {notices.hasNextPage && (
              <Group justify="center" p="xs">
                <Button
                  size="xs"
                  variant="default"
                  loading={notices.isFetchingNextPage}
                  onClick={() => void notices.fetchNextPage()}
                >
                  {t('bell.older')}
                </Button>
              </Group>
            )}
          </ScrollArea.Autosize>
        </Popover.Dropdown>
      </Popover>
    </>
  );
}

function Entry({
  notice,
  slug,
  onFollow,
  onMark,
}: {
  notice: Notice;
  slug: string;
  onFollow: () => void;
  onMark: () => void;
}) {
  const { t } = useTranslation('notifications');
  const fresh = notice.read_at == null;
  const words = (
    <>
      <Text size="sm" fw={fresh ? 600 : 450} className={classes.title} dir="auto">
        {fresh && <VisuallyHidden>{t('bell.new')}: </VisuallyHidden>}
        {notice.title}
      </Text>
      {notice.body !== '' && (
        <Text size="sm" c="dimmed" dir="auto">
          {notice.body}
        </Text>
      )}
      <Text size="xs" c="dimmed">
        <DateTimeText value={notice.created_at} />
      </Text>
    </>
  );
  return (
    <li className={classes.notice} lang={notice.language}>
      <span className={classes.dot} data-new={fresh || undefined} aria-hidden />
      {notice.link == null ? (
        <div className={classes.words}>{words}</div>
      ) : (
        <Link
          // The address is the server's own, below the organisation.
          to={`/o/${slug}${notice.link}` as never}
          className={classes.words}
          onClick={onFollow}
        >
          {words}
        </Link>
      )}
      <ActionIcon
        variant="subtle"
        color="gray"
        size="sm"
        aria-label={t(fresh ? 'bell.markRead' : 'bell.markNew', { title: notice.title })}
        onClick={onMark}
      >
        {fresh ? <IconCheck size={14} aria-hidden /> : <IconBell size={14} aria-hidden />}
      </ActionIcon>
    </li>
  );
}
