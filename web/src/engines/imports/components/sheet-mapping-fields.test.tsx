import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { beforeAll, describe, expect, it } from 'vitest';
import { renderAt, speakEnglish } from '@/ui/testing/render';
import { importsMessages } from '../messages';
import { mappingOf, type ImportSheet, type Template } from '../model';
import { SheetMappingFields } from './sheet-mapping-fields';

const field = (key: string, label: string, required: boolean) => ({
  key,
  label,
  kind: 'text',
  required,
  help: '',
  example: '',
});

const template: Template = {
  name: 'register',
  title: 'Register',
  description: '',
  sheets: [
    {
      key: 'orders',
      title: 'Purchase orders',
      required_fields: ['number', 'value'],
      fields: [field('number', 'Order number', true), field('value', 'Order value', true)],
    },
  ],
};

const sheet: ImportSheet = {
  name: 'Sheet1',
  target: 'orders',
  header_row: 4,
  headers: ['PO No.', '', 'Sum'],
  columns: { number: 0, value: null },
  rows: 0,
  accepted: 0,
  refused: 0,
  warnings: 0,
  notices: [],
};

function Form() {
  const [mapping, setMapping] = useState(() => mappingOf([sheet])[0]!);
  return (
    <SheetMappingFields sheet={sheet} mapping={mapping} template={template} onChange={setMapping} />
  );
}

/** Opens the list of a box and takes the option of this name. */
async function choose(box: HTMLElement, name: string): Promise<void> {
  await userEvent.click(box);
  const list = document.getElementById(box.getAttribute('aria-controls') ?? '');
  await userEvent.click(within(list!).getByRole('option', { name, hidden: true }));
}

beforeAll(() => speakEnglish({ imports: importsMessages.en }));

describe('matching the columns of a sheet', () => {
  it('begins with what the server found and names what is missing', async () => {
    await renderAt('/', () => <Form />);
    expect(screen.getByRole('combobox', { name: 'Column for Order number' })).toHaveValue(
      'A · PO No.',
    );
    expect(screen.getByTestId('mapping-problems')).toHaveTextContent(
      'Still without a column: Order value.',
    );
  });

  it('is content once every required field has a column of its own', async () => {
    await renderAt('/', () => <Form />);
    const value = screen.getByRole('combobox', { name: 'Column for Order value' });
    await choose(value, 'A · PO No.');
    expect(screen.getByTestId('mapping-problems')).toHaveTextContent(
      'Column A is chosen more than once.',
    );
    await choose(value, 'C · Sum');
    expect(screen.queryByTestId('mapping-problems')).not.toBeInTheDocument();
  });

  it('asks for nothing once the sheet is left out', async () => {
    await renderAt('/', () => <Form />);
    const target = screen.getByRole('combobox', { name: 'Sheet Sheet1 holds' });
    await choose(target, 'Purchase orders');
    expect(screen.queryByTestId('mapping-problems')).not.toBeInTheDocument();
    expect(screen.queryByRole('table')).not.toBeInTheDocument();
  });
});
