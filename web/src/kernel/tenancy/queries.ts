import { queryOptions } from '@tanstack/react-query';
import { createApi, reply, type Reply } from '@/api/client';

export type Organization = Reply<'/api/v1/tenancy/organizations'>[number];
export type OrganizationSession = Reply<'/api/v1/tenancy/session'>;
export type Member = Reply<'/api/v1/tenancy/members'>[number];
export type Invitation = Reply<'/api/v1/tenancy/invitations', 'post'>;
export type Role = Invitation['role'];

/** Highest first, as the server orders them. */
export const ROLES = ['owner', 'admin', 'manager', 'support', 'member', 'viewer'] as const;

export const organizationsQuery = () =>
  queryOptions({
    queryKey: ['organizations'],
    queryFn: () => reply(createApi().GET('/api/v1/tenancy/organizations')),
    staleTime: 60_000,
  });

export const organizationSessionQuery = (organizationId: string) =>
  queryOptions({
    queryKey: [organizationId, 'session'],
    queryFn: () => reply(createApi(organizationId).GET('/api/v1/tenancy/session')),
    staleTime: 60_000,
  });

export const membersQuery = (organizationId: string) =>
  queryOptions({
    queryKey: [organizationId, 'members'],
    queryFn: () => reply(createApi(organizationId).GET('/api/v1/tenancy/members')),
  });

export const invitationQuery = (token: string) =>
  queryOptions({
    queryKey: ['invitations', token],
    queryFn: () =>
      reply(
        createApi().GET('/api/v1/tenancy/invitations/{token}', { params: { path: { token } } }),
      ),
    retry: false,
  });
