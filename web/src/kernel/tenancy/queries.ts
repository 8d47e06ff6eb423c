import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { createApi, reply, requestHeaders, type Reply } from '@/api/client';
import { toApiError } from '@/api/errors';

export type Organization = Reply<'/api/v1/tenancy/organizations'>[number];
export type OrganizationSession = Reply<'/api/v1/tenancy/session'>;
export type Member = Reply<'/api/v1/tenancy/members'>['members'][number];
export type Invitation = Reply<'/api/v1/tenancy/invitations', 'post'>;
export type OpenInvitation = Reply<'/api/v1/tenancy/open-invitations'>[number];
export type Department = Reply<'/api/v1/tenancy/departments'>[number];
export type OrganizationSettings = Reply<'/api/v1/tenancy/organization'>;
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

export const settingsQuery = (organizationId: string) =>
  queryOptions({
    queryKey: [organizationId, 'organization'],
    queryFn: () => reply(createApi(organizationId).GET('/api/v1/tenancy/organization')),
  });

/** Which members a list shows. */
export interface MembersWanted {
  search?: string;
  role?: Role;
  department?: string;
  limit: number;
  offset: number;
}

export const membersQuery = (organizationId: string, wanted: MembersWanted) =>
  queryOptions({
    queryKey: [organizationId, 'members', wanted],
    queryFn: () =>
      reply(
        createApi(organizationId).GET('/api/v1/tenancy/members', { params: { query: wanted } }),
      ),
    placeholderData: keepPreviousData,
  });

export const openInvitationsQuery = (organizationId: string) =>
  queryOptions({
    queryKey: [organizationId, 'open-invitations'],
    queryFn: () => reply(createApi(organizationId).GET('/api/v1/tenancy/open-invitations')),
  });

export const departmentsQuery = (organizationId: string) =>
  queryOptions({
    queryKey: [organizationId, 'departments'],
    queryFn: () => reply(createApi(organizationId).GET('/api/v1/tenancy/departments')),
  });

/** The logo as an address that a picture can have; the tag makes a new one another. */
export const logoQuery = (organizationId: string, tag: string) =>
  queryOptions({
    queryKey: [organizationId, 'logo', tag],
    queryFn: async () => {
      const response = await fetch('/api/v1/tenancy/organization/logo', {
        headers: await requestHeaders(organizationId),
      });
      if (!response.ok) throw toApiError(response.status, await response.json().catch(() => null));
      const picture = await response.blob();
      return await new Promise<string>((resolve, reject) => {
        const reader = new FileReader();
        reader.onload = () => {
          resolve(reader.result as string);
        };
        reader.onerror = () => {
          reject(new Error('The picture cannot be read.'));
        };
        reader.readAsDataURL(picture);
      });
    },
    staleTime: Infinity,
  });

/** Whether members need a second factor, and how many have none. */
export const secondFactorQuery = (organizationId: string) =>
  queryOptions({
    queryKey: [organizationId, 'second-factor'],
    queryFn: () => reply(createApi(organizationId).GET('/api/v1/tenancy/second-factor')),
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
