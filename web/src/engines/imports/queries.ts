import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { reply } from '@/api/client';
import type { CurrentOrganization } from '@/kernel/tenancy/organization';
import type { ImportState } from './model';

type Organization = Pick<CurrentOrganization, 'id' | 'api'>;

export const templatesQuery = ({ id, api }: Organization) =>
  queryOptions({
    queryKey: [id, 'imports', 'templates'],
    queryFn: () => reply(api.GET('/api/v1/imports/templates')),
    staleTime: Infinity,
  });

export const importListQuery = (
  { id, api }: Organization,
  query: { limit: number; offset: number; state?: ImportState },
) =>
  queryOptions({
    queryKey: [id, 'imports', 'list', query],
    queryFn: () => reply(api.GET('/api/v1/imports', { params: { query } })),
    placeholderData: keepPreviousData,
  });

export const importQuery = ({ id, api }: Organization, importId: string) =>
  queryOptions({
    queryKey: [id, 'imports', 'one', importId],
    queryFn: () => reply(api.GET('/api/v1/imports/{id}', { params: { path: { id: importId } } })),
    staleTime: 0,
  });

export interface RowsQuery {
  sheet: string;
  only: 'all' | 'accepted' | 'refused' | 'warnings';
  offset: number;
  limit: number;
}

/** `version` is part of the key, since new matching makes new rows. */
export const rowsQuery = (
  { id, api }: Organization,
  importId: string,
  version: number,
  query: RowsQuery,
) =>
  queryOptions({
    queryKey: [id, 'imports', 'rows', importId, version, query],
    queryFn: () =>
      reply(api.GET('/api/v1/imports/{id}/rows', { params: { path: { id: importId }, query } })),
    placeholderData: keepPreviousData,
  });
