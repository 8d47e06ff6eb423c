import { queryOptions } from '@tanstack/react-query';
import { createApi, reply, type Reply } from '@/api/client';

export type Roles = Reply<'/api/v1/access/roles'>;
export type CustomRole = Roles['custom'][number];
export type PermissionInfo = Roles['permissions'][number];
export type RoleMember = Reply<'/api/v1/access/members'>[number];
export type Key = Reply<'/api/v1/access/keys'>[number];
export type Token = Reply<'/api/v1/access/tokens'>[number];
export type Principal = Reply<'/api/v1/access/review'>['principals'][number];
export type Space = Reply<'/api/v1/access/spaces'>[number];
export type SupportVisit = Reply<'/api/v1/access/support'>[number];

export const rolesQuery = (organizationId: string) =>
  queryOptions({
    queryKey: [organizationId, 'access', 'roles'],
    queryFn: () => reply(createApi(organizationId).GET('/api/v1/access/roles')),
  });

export const roleMembersQuery = (organizationId: string) =>
  queryOptions({
    queryKey: [organizationId, 'access', 'members'],
    queryFn: () => reply(createApi(organizationId).GET('/api/v1/access/members')),
  });

export const previewQuery = (
  organizationId: string,
  patterns: { includes: string[]; excludes: string[] },
) =>
  queryOptions({
    queryKey: [organizationId, 'access', 'preview', patterns],
    queryFn: () =>
      reply(createApi(organizationId).POST('/api/v1/access/roles/preview', { body: patterns })),
    staleTime: 60_000,
    placeholderData: (previous) => previous,
  });

export const keysQuery = (organizationId: string) =>
  queryOptions({
    queryKey: [organizationId, 'access', 'keys'],
    queryFn: () => reply(createApi(organizationId).GET('/api/v1/access/keys')),
  });

export const tokensQuery = () =>
  queryOptions({
    queryKey: ['access', 'tokens'],
    queryFn: () => reply(createApi().GET('/api/v1/access/tokens')),
  });

export const reviewQuery = (
  organizationId: string,
  query: { person: string; permission: string; page: number },
) =>
  queryOptions({
    queryKey: [organizationId, 'access', 'review', query],
    queryFn: () =>
      reply(createApi(organizationId).GET('/api/v1/access/review', { params: { query } })),
    placeholderData: (previous) => previous,
  });

export const spacesQuery = (organizationId: string) =>
  queryOptions({
    queryKey: [organizationId, 'access', 'spaces'],
    queryFn: () => reply(createApi(organizationId).GET('/api/v1/access/spaces')),
  });

export const supportQuery = (organizationId: string) =>
  queryOptions({
    queryKey: [organizationId, 'access', 'support'],
    queryFn: () => reply(createApi(organizationId).GET('/api/v1/access/support')),
  });
