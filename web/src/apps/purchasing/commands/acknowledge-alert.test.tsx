import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { renderAt, speakEnglish } from '@/ui/testing/render';
import { purchasingMessages } from '../messages';
import type { Alert } from '../model';
import { AcknowledgeDialog } from './acknowledge-alert';

const POST = vi.fn();

vi.mock('@/kernel/tenancy/organization', () => ({
  useOrganization: () => ({ id: 'organisation', slug: 'o', api: { POST }, can: () => true }),
}));

const alert = (level: Alert['level']): Alert => ({
  id: 'alert-1',
  level,
  state: 'open',
  utilisation: '97.1',
  opened_at: '2026-11-21T09:14:00Z',
  acknowledged_at: null,
  note: null,
  order: { id: 'order-1', number: 'PO-7', description: null },
});

const onClose = vi.fn();

const open = (level: Alert['level']) =>
  renderAt('/', () => (
    <QueryClientProvider client={new QueryClient()}>
      <AcknowledgeDialog alert={alert(level)} onClose={onClose} />
    </QueryClientProvider>
  ));

beforeAll(() => speakEnglish({ purchasing: purchasingMessages.en }));

beforeEach(() => {
  onClose.mockReset();
  POST.mockReset();
  POST.mockResolvedValue({ data: {}, response: new Response(null, { status: 200 }) });
});

describe('acknowledging an alert', () => {
  it('is not sent without a note at critical', async () => {
    await open('critical');
    await userEvent.click(await screen.findByRole('button', { name: 'Acknowledge' }));
    expect(screen.getByText('Write a note')).toBeInTheDocument();
    expect(POST).not.toHaveBeenCalled();

    await userEvent.type(screen.getByLabelText(/^Note/), '  Variation raised.  ');
    await userEvent.click(screen.getByRole('button', { name: 'Acknowledge' }));
    await waitFor(() => {
      expect(onClose).toHaveBeenCalledOnce();
    });
    expect(POST).toHaveBeenCalledWith('/api/v1/purchasing/alerts/{id}/acknowledge', {
      params: { path: { id: 'alert-1' } },
      body: { note: 'Variation raised.' },
    });
  });

  it('needs no note at warning', async () => {
    await open('warning');
    await userEvent.click(await screen.findByRole('button', { name: 'Acknowledge' }));
    await waitFor(() => {
      expect(onClose).toHaveBeenCalledOnce();
    });
    expect(POST.mock.calls[0]?.[1]).toMatchObject({ body: { note: null } });
  });

  it('stays open and says why when the server refuses', async () => {
    POST.mockResolvedValue({
      error: { code: 'purchasing.alert_not_open', message: 'Somebody was faster.' },
      response: new Response(null, { status: 409 }),
    });
    await open('warning');
    await userEvent.click(await screen.findByRole('button', { name: 'Acknowledge' }));
    expect(await screen.findByText('Somebody was faster.')).toBeInTheDocument();
    expect(onClose).not.toHaveBeenCalled();
  });
});
