import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { createApi, reply, type Reply } from '@/api/client';

export type Endpoint = Reply<'/api/v1/webhooks/endpoints'>[number];
export type Delivery = Reply<'/api/v1/webhooks/deliveries'>['items'][number];

export const STATES = ['pending', 'delivered', 'failed'] as const;

/** How often the log is looked at while something is on its way. */
const SOON = 2_000;

export interface LogFilter {
  endpoint?: string;
  state?: (typeof STATES)[number];
  event?: string;
}

export const endpointsQuery = (organizationId: string) =>
  queryOptions({
    queryKey: [organizationId, 'webhooks', 'endpoints'],
    queryFn: () => reply(createApi(organizationId).GET('/api/v1/webhooks/endpoints')),
  });

export const deliveriesQuery = (organizationId: string, filter: LogFilter) =>
  infiniteQueryOptions({
    queryKey: [organizationId, 'webhooks', 'deliveries', filter],
    queryFn: ({ pageParam }) =>
      reply(
        createApi(organizationId).GET('/api/v1/webhooks/deliveries', {
          params: { query: { ...filter, ...(pageParam === null ? {} : { before: pageParam }) } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next ?? null,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ items }) => items.some(isMoving)) === true ? SOON : false,
  });

export const deliveryQuery = (organizationId: string, id: string) =>
  queryOptions({
    queryKey: [organizationId, 'webhooks', 'delivery', id],
    queryFn: () =>
      reply(
        createApi(organizationId).GET('/api/v1/webhooks/deliveries/{id}', {
          params: { path: { id } },
        }),
      ),
    refetchInterval: ({ state }) =>
      state.data !== undefined && isMoving(state.data) ? SOON : false,
  });

/** Whether a call is about to be made, so that looking again soon shows something new. */
export function isMoving({ state, next_at }: Pick<Delivery, 'state' | 'next_at'>): boolean {
  return state === 'pending' && next_at != null && Date.parse(next_at) < Date.now() + 10_000;
}
