import type { PostgrestError } from '@supabase/supabase-js';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { reply } from '@/api/client';
import { ApiError } from '@/api/errors';
import type { CurrentOrganization } from '@/kernel/tenancy/organization';
import { rowRange, type TableState } from '@/ui/table/table-state';
import { searchCondition, type Alert, type Entry, type Order } from './model';

type Organization = Pick<CurrentOrganization, 'id' | 'api' | 'tables'>;

export interface Page<Row> {
  rows: Row[];
  total: number;
}

interface TableReply<Data> {
  data: Data | null;
  error: PostgrestError | null;
  count?: number | null;
  status: number;
}

function rowsOf<Data>({ data, error, status }: TableReply<Data>): Data {
  if (error !== null) {
    const unreachable = status === 0;
    throw new ApiError(
      status,
      unreachable ? 'network.unreachable' : error.code,
      error.message,
      error.details === '' ? null : error.details,
      error.hint === '' ? null : error.hint,
    );
  }
  return data as Data;
}

function pageOf<Row>(answer: TableReply<Row[]>): Page<Row> {
  return { rows: rowsOf(answer), total: answer.count ?? 0 };
}

const SUPPLIER = 'supplier:suppliers(id,name)';
// Amounts are asked for as text: a JSON number would lose digits on the way.
const ORDER_COLUMNS = [
  'id',
  'number',
  'description',
  'project',
  'currency',
  'original_value::text',
  'current_value::text',
  'billed_to_date::text',
  'utilisation::text',
  'level',
  'start_date',
  'due_date',
  SUPPLIER,
].join(',');

export const boardQuery = ({ id, api }: Organization) =>
  queryOptions({
    queryKey: [id, 'purchasing', 'board'],
    queryFn: () => reply(api.GET('/api/v1/purchasing/board')),
  });

export const settingsQuery = ({ id, api }: Organization) =>
  queryOptions({
    queryKey: [id, 'purchasing', 'settings'],
    queryFn: () => reply(api.GET('/api/v1/purchasing/settings')),
    staleTime: 60_000,
  });

export const ordersQuery = ({ id, tables }: Organization, state: TableState) =>
  queryOptions({
    queryKey: [id, 'purchasing', 'orders', state],
    queryFn: async ({ signal }) => {
      const { level = [], currency = [], supplier = [] } = state.filters;
      let query = tables
        .schema('purchasing')
        .from('orders')
        .select(ORDER_COLUMNS, { count: 'exact' });
      if (level.length > 0) query = query.in('level', level);
      if (currency[0] !== undefined) query = query.eq('currency', currency[0]);
      if (supplier[0] !== undefined) query = query.eq('supplier_id', supplier[0]);
      if (state.query !== '') {
        query = query.or(searchCondition(state.query, ['number', 'description']));
      }
      if (state.sort !== null) {
        query = query.order(state.sort.column, {
          ascending: !state.sort.descending,
          nullsFirst: false,
        });
      }
      // A second key keeps rows of equal rank from jumping between pages.
      if (state.sort?.column !== 'number') query = query.order('number');
      const answer = await query
        .range(...rowRange(state))
        .abortSignal(signal)
        .overrideTypes<Order[], { merge: false }>();
      return pageOf(answer);
    },
    placeholderData: keepPreviousData,
  });

export const orderQuery = ({ id, tables }: Organization, orderId: string) =>
  queryOptions({
    queryKey: [id, 'purchasing', 'order', orderId],
    queryFn: async ({ signal }) => {
      const rows = rowsOf(
        await tables
          .schema('purchasing')
          .from('orders')
          .select(ORDER_COLUMNS)
          .eq('id', orderId)
          .limit(1)
          .abortSignal(signal)
          .overrideTypes<Order[], { merge: false }>(),
      );
      const order = rows[0];
      if (order === undefined) {
        throw new ApiError(404, 'purchasing.order_not_found', 'This order does not exist here.');
      }
      return order;
    },
  });

export const entriesQuery = ({ id, tables }: Organization, orderId: string, state: TableState) =>
  queryOptions({
    queryKey: [id, 'purchasing', 'entries', orderId, state],
    queryFn: async ({ signal }) => {
      let query = tables
        .schema('purchasing')
        .from('entries')
        .select('id,number,note,survey_date,amount::text,surveyor,state', { count: 'exact' })
        .eq('order_id', orderId);
      if (state.sort !== null) {
        query = query.order(state.sort.column, { ascending: !state.sort.descending });
      }
      if (state.sort?.column !== 'number') query = query.order('number');
      const answer = await query
        .range(...rowRange(state))
        .abortSignal(signal)
        .overrideTypes<Entry[], { merge: false }>();
      return pageOf(answer);
    },
    placeholderData: keepPreviousData,
  });

export const alertsQuery = ({ id, tables }: Organization, state: TableState) =>
  queryOptions({
    queryKey: [id, 'purchasing', 'alerts', state],
    queryFn: async ({ signal }) => {
      const { state: states = [], level = [] } = state.filters;
      let query = tables
        .schema('purchasing')
        .from('alerts')
        .select(
          'id,level,state,utilisation::text,opened_at,acknowledged_at,note,order:orders(id,number,description)',
          { count: 'exact' },
        );
      if (states.length > 0) query = query.in('state', states);
      if (level.length > 0) query = query.in('level', level);
      if (state.sort !== null) {
        query = query.order(state.sort.column, {
          ascending: !state.sort.descending,
          nullsFirst: false,
        });
      }
      const answer = await query
        .order('id')
        .range(...rowRange(state))
        .abortSignal(signal)
        .overrideTypes<Alert[], { merge: false }>();
      return pageOf(answer);
    },
    placeholderData: keepPreviousData,
  });

const MOST_SUPPLIERS = 50;

/** Suppliers to choose from while typing; never all of them. */
export const suppliersQuery = ({ id, tables }: Organization, text: string) =>
  queryOptions({
    queryKey: [id, 'purchasing', 'suppliers', text],
    queryFn: async ({ signal }) => {
      let query = tables.schema('purchasing').from('suppliers').select('id,name');
      if (text !== '') query = query.or(searchCondition(text, ['name']));
      return rowsOf(
        await query
          .order('name')
          .limit(MOST_SUPPLIERS)
          .abortSignal(signal)
          .overrideTypes<{ id: string; name: string }[], { merge: false }>(),
      );
    },
    placeholderData: keepPreviousData,
  });

export const supplierQuery = ({ id, tables }: Organization, supplierId: string) =>
  queryOptions({
    queryKey: [id, 'purchasing', 'supplier', supplierId],
    queryFn: async ({ signal }) =>
      rowsOf(
        await tables
          .schema('purchasing')
          .from('suppliers')
          .select('id,name')
          .eq('id', supplierId)
          .limit(1)
          .abortSignal(signal)
          .overrideTypes<{ id: string; name: string }[], { merge: false }>(),
      )[0] ?? null,
    staleTime: 60_000,
  });
