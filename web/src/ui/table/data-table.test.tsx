import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { ApiError } from '@/api/errors';
import { renderAt, speakEnglish } from '../testing/render';
import { DataTable, type Column } from './data-table';

interface Row {
  id: string;
  name: string;
}

const columns: Column<Row>[] = [
  { key: 'name', header: 'Name', sortable: true, render: ({ name }) => name },
  { key: 'id', header: 'Id', render: ({ id }) => id },
];

const rows: Row[] = [
  { id: '1', name: 'Lift' },
  { id: '2', name: 'Piling' },
];

const state = {
  page: 1,
  size: 25,
  setPage: () => {},
  setSize: () => {},
  sort: null,
  setSort: () => {},
};

beforeAll(() => speakEnglish());

const show = (props: Partial<Parameters<typeof DataTable<Row>>[0]>) =>
  renderAt('/', () => (
    <DataTable
      caption="Orders"
      columns={columns}
      rows={rows}
      rowKey={({ id }) => id}
      total={2}
      state={state}
      empty={<p>No orders</p>}
      {...props}
    />
  ));

describe('a table', () => {
  it('names itself and shows its rows and their number', async () => {
    await show({ total: 60 });
    const table = screen.getByRole('table', { name: 'Orders' });
    expect(within(table).getAllByRole('row')).toHaveLength(3);
    expect(screen.getByTestId('table-range')).toHaveTextContent('1–25 of 60');
  });

  it('asks for the other direction when a column is chosen again', async () => {
    const setSort = vi.fn();
    await show({ state: { ...state, sort: { column: 'name', descending: false }, setSort } });
    expect(screen.getByRole('columnheader', { name: /Name/ })).toHaveAttribute(
      'aria-sort',
      'ascending',
    );
    await userEvent.click(screen.getByRole('button', { name: 'Sort by Name' }));
    expect(setSort).toHaveBeenCalledWith({ column: 'name', descending: true });
  });

  it('offers only pages that exist', async () => {
    const setPage = vi.fn();
    await show({ total: 30, state: { ...state, page: 2, setPage } });
    expect(screen.getByRole('button', { name: 'Next page' })).toBeDisabled();
    await userEvent.click(screen.getByRole('button', { name: 'Previous page' }));
    expect(setPage).toHaveBeenCalledWith(1);
  });

  it('says in its own place that there is nothing', async () => {
    await show({ rows: [], total: 0 });
    expect(screen.getByText('No orders')).toBeInTheDocument();
    expect(screen.queryByRole('table')).not.toBeInTheDocument();
  });

  it('shows why rows could not be had, with code, details and hint', async () => {
    const onRetry = vi.fn();
    await show({
      rows: undefined,
      error: new ApiError(422, 'orders.odd', 'Odd filter.', 'It is “x”.', 'Use another.'),
      onRetry,
    });
    const alert = screen.getByRole('alert');
    for (const text of ['Odd filter.', 'It is “x”.', 'Use another.', 'orders.odd']) {
      expect(alert).toHaveTextContent(text);
    }
    await userEvent.click(within(alert).getByRole('button', { name: 'Try again' }));
    expect(onRetry).toHaveBeenCalledOnce();
  });
});
