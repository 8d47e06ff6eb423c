/** The organisation in the address: who the user is in it, what they may do, and clients that speak for it. */
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { createApi, PUBLISHABLE_KEY, type Api } from '@/api/client';
import { accessToken } from '@/kernel/identity/session';
import { organizationRoute } from '@/kernel/routing/routes';
import { grants } from './grants';
import { organizationSessionQuery, type OrganizationSession, type Role } from './queries';
import { useRoleName } from './role-name';

export interface CurrentOrganization {
  id: string;
  slug: string;
  name: string;
  role: Role;
  /** What they are called here: the built-in role, and the organisation's own beside it or instead of it. */
  roleName: string;
  /** Whether they belong to it; an operator of the installation who is in to help does not. */
  member: boolean;
  /** Whether they run the installation. */
  operator: boolean;
  /** The visit that lets them in, if they are no member. */
  visit: { id: string; ends_at: string } | null;
  /** Its colour as `#rrggbb`, if it has one of its own. */
  themeColour: string | null;
  /** The tag of its logo, if it has one. */
  logo: string | null;
  /** The page that members see first, below the organisation's address. */
  home: string | null;
  /** When it will be deleted, if an owner wants that. */
  deleteAfter: string | null;
  user: OrganizationSession['user'];
  can: (permission: string) => boolean;
  /** Commands. */
  api: Api;
  /** Tables, through the REST dialect. */
  tables: SupabaseClient;
}

const tableClients = new Map<string, SupabaseClient>();

function tablesOf(organizationId: string): SupabaseClient {
  let client = tableClients.get(organizationId);
  if (client === undefined) {
    client = createClient(window.location.origin, PUBLISHABLE_KEY, {
      accessToken,
      global: { headers: { 'x-org-id': organizationId } },
    });
    tableClients.set(organizationId, client);
  }
  return client;
}

export function useOrganization(): CurrentOrganization {
  const { organization, session: loaded } = organizationRoute.useRouteContext();
  const { data: session = loaded } = useQuery(organizationSessionQuery(organization.id));
  const roleName = useRoleName();
  return useMemo(
    () => ({
      id: organization.id,
      slug: organization.slug,
      name: session.organization.name,
      role: session.role,
      roleName: roleName({ role: session.role, ...session.standing }),
      member: session.standing.member,
      operator: session.standing.operator,
      visit: session.standing.visit ?? null,
      themeColour: session.organization.theme_color ?? null,
      logo: session.organization.logo ?? null,
      home: session.organization.home ?? null,
      deleteAfter: session.organization.delete_after ?? null,
      user: session.user,
      can: (permission: string) => grants(session.permissions, permission),
      api: createApi(organization.id),
      tables: tablesOf(organization.id),
    }),
    [organization, session, roleName],
  );
}
