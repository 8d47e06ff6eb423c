import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { createApi, reply, type Reply } from '@/api/client';

export type OrganizationRow = Reply<'/api/v1/operator/organizations'>['organizations'][number];
export type OrganizationDetail = Reply<'/api/v1/operator/organizations/{id}'>;
export type UserRow = Reply<'/api/v1/operator/users'>['users'][number];
export type Program = Reply<'/api/v1/operator/programs'>['programs'][number];
export type Plan = Reply<'/api/v1/operator/plans'>[number];
export type Feature = Plan['features'][number];
export type MessagePage = Reply<'/api/v1/operator/messages'>;
export type MessageRow = MessagePage['messages'][number];
export type Visit = Reply<'/api/v1/operator/visits'>[number];

const api = createApi();

/** Everything that a plan includes or not. */
export const FEATURES = [
  'branding',
  'custom_roles',
  'api_keys',
  'webhooks',
  'audit_year',
  'audit_regulated',
] as const satisfies Feature[];

/** Who runs the installation; refused with 404 for everybody else. */
export const operatorQuery = () =>
  queryOptions({
    queryKey: ['operator', 'session'],
    queryFn: () => reply(api.GET('/api/v1/operator/session')),
    retry: false,
    staleTime: 60_000,
  });

export const organizationsQuery = (query: { q: string; page: number }) =>
  queryOptions({
    queryKey: ['operator', 'organizations', query],
    queryFn: () => reply(api.GET('/api/v1/operator/organizations', { params: { query } })),
    placeholderData: (previous) => previous,
  });

export const organizationQuery = (id: string) =>
  queryOptions({
    queryKey: ['operator', 'organizations', id],
    queryFn: () =>
      reply(api.GET('/api/v1/operator/organizations/{id}', { params: { path: { id } } })),
  });

export const plansQuery = () =>
  queryOptions({
    queryKey: ['operator', 'plans'],
    queryFn: () => reply(api.GET('/api/v1/operator/plans')),
  });

export const messagesQuery = (state: 'uncertain' | 'failed' | 'queued' | 'sent') =>
  infiniteQueryOptions({
    queryKey: ['operator', 'messages', state],
    queryFn: ({ pageParam }) =>
      reply(
        api.GET('/api/v1/operator/messages', {
          params: { query: { state, ...(pageParam === null ? {} : { before: pageParam }) } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page: MessagePage) => page.next ?? null,
  });

export const usersQuery = (query: { q: string; page: number }) =>
  queryOptions({
    queryKey: ['operator', 'users', query],
    queryFn: () => reply(api.GET('/api/v1/operator/users', { params: { query } })),
    placeholderData: (previous) => previous,
  });

export const programsQuery = (query: { q: string; page: number }) =>
  queryOptions({
    queryKey: ['operator', 'programs', query],
    queryFn: () => reply(api.GET('/api/v1/operator/programs', { params: { query } })),
    placeholderData: (previous) => previous,
  });

export const visitsQuery = () =>
  queryOptions({
    queryKey: ['operator', 'visits'],
    queryFn: () => reply(api.GET('/api/v1/operator/visits')),
  });

export { api };
