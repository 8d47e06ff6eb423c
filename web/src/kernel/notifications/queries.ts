import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { createApi, reply, type Api, type Reply } from '@/api/client';

export type NoticePage = Reply<'/api/v1/notifications'>;
export type Notice = NoticePage['notices'][number];
export type Preferences = Reply<'/api/v1/notifications/preferences'>;
export type Kind = Preferences['kinds'][number];
export type Mode = Kind['app'];
export type Channel = 'app' | 'mail' | 'sms';

const api = createApi();

const PAGE = 20;

/** What the bell shows: a person's own notices in an organisation, newest first. */
export const noticesQuery = (organization: { id: string; api: Api }) =>
  infiniteQueryOptions({
    queryKey: ['notices', organization.id],
    queryFn: ({ pageParam }) =>
      reply(
        organization.api.GET('/api/v1/notifications', {
          params: {
            query: { limit: PAGE, ...(pageParam === null ? {} : { before: pageParam }) },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page: NoticePage) => page.next ?? null,
    staleTime: 30_000,
  });

export interface ReadState {
  ids?: string[];
  until?: string;
  read?: boolean;
}

export const markNotices = (organization: { api: Api }, state: ReadState) =>
  reply(organization.api.POST('/api/v1/notifications/read', { body: { read: true, ...state } }));

export const preferencesQuery = (language: string) =>
  queryOptions({
    queryKey: ['notification-preferences', language],
    queryFn: () =>
      reply(api.GET('/api/v1/notifications/preferences', { params: { query: { language } } })),
    staleTime: 0,
  });

export interface Choice {
  zone: string | null;
  quiet_from: string | null;
  quiet_until: string | null;
  digest: Preferences['digest'];
  digest_hour: number;
  digest_weekday: number;
  kinds: Record<string, Partial<Record<Channel, Mode>>>;
}

export const savePreferences = (choice: Choice) =>
  reply(api.PUT('/api/v1/notifications/preferences', { body: choice }));
