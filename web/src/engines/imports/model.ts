/** An import and the steps a user takes through it. */
import type { Reply } from '@/api/client';

export type Import = Reply<'/api/v1/imports/{id}'>;
export type ImportItem = Reply<'/api/v1/imports'>['items'][number];
export type ImportState = Import['state'];
/** A sheet with its counts, which older imports may lack. */
export type ImportSheet = Required<Import['sheets'][number]>;
export type Progress = NonNullable<Import['progress']>;
export type Template = Reply<'/api/v1/imports/templates'>[number];
export type TemplateSheet = Template['sheets'][number];
export type TemplateField = TemplateSheet['fields'][number];
export type RowPage = Reply<'/api/v1/imports/{id}/rows'>;
export type PreviewRow = RowPage['rows'][number];
export type Issue = PreviewRow['issues'][number];

export const STATES = [
  'uploaded',
  'parsing',
  'parsed',
  'mapped',
  'validated',
  'previewed',
  'confirmed',
  'committing',
  'committed',
  'failed',
  'cancelled',
  'undone',
] as const satisfies readonly ImportState[];

/** What the page shows; several states of the server look alike to a user. */
export type Stage =
  'reading' | 'matching' | 'review' | 'committing' | 'committed' | 'failed' | 'closed';

export function stageOf(state: ImportState): Stage {
  switch (state) {
    case 'uploaded':
    case 'parsing':
    case 'mapped':
      return 'reading';
    case 'parsed':
      return 'matching';
    case 'validated':
    case 'previewed':
      return 'review';
    case 'confirmed':
    case 'committing':
      return 'committing';
    case 'committed':
      return 'committed';
    case 'failed':
      return 'failed';
    case 'cancelled':
    case 'undone':
      return 'closed';
  }
}

/** The server is at work and will tell when it is done. */
export function isRunning(state: ImportState): boolean {
  const stage = stageOf(state);
  return stage === 'reading' || stage === 'committing';
}

export function sheetsOf(run: Import): ImportSheet[] {
  return run.sheets.map((sheet) => ({
    ...sheet,
    target: sheet.target ?? null,
    header_row: sheet.header_row ?? null,
    rows: sheet.rows ?? 0,
    accepted: sheet.accepted ?? 0,
    refused: sheet.refused ?? 0,
    warnings: sheet.warnings ?? 0,
    notices: sheet.notices ?? [],
  }));
}

/** Whole per cent, or null while the total is not known. */
export function percentDone({ done, total }: Pick<Progress, 'done' | 'total'>): number | null {
  if (total <= 0) return null;
  return Math.max(0, Math.min(100, Math.floor((done / total) * 100)));
}

/** How one sheet of the workbook is to be read. */
export interface SheetMapping {
  name: string;
  target: string | null;
  /** From 1; null where the rows begin without headings. */
  header_row: number | null;
  columns: Record<string, number | null>;
}

export function mappingOf(sheets: readonly ImportSheet[]): SheetMapping[] {
  return sheets.map(({ name, target, header_row, columns }) => ({
    name,
    target,
    header_row,
    columns: { ...columns },
  }));
}

/** Required fields that no column is matched to. */
export function missingFields(mapping: SheetMapping, template: Template): TemplateField[] {
  const sheet = template.sheets.find(({ key }) => key === mapping.target);
  if (sheet === undefined) return [];
  return sheet.fields.filter(({ key, required }) => required && mapping.columns[key] == null);
}

/** Columns that stand for more than one field, by column. */
export function doubledColumns(mapping: SheetMapping): Set<number> {
  const seen = new Set<number>();
  const doubled = new Set<number>();
  for (const column of Object.values(mapping.columns)) {
    if (column === null) continue;
    if (seen.has(column)) doubled.add(column);
    seen.add(column);
  }
  return doubled;
}

/** Targets that more than one sheet is to feed. */
export function doubledTargets(mappings: readonly SheetMapping[]): Set<string> {
  const targets = mappings.flatMap(({ target }) => (target === null ? [] : [target]));
  return new Set(targets.filter((target, index) => targets.indexOf(target) !== index));
}

/** Every sheet is complete, and there is one to import at all. */
export function isComplete(mappings: readonly SheetMapping[], template: Template): boolean {
  const used = mappings.filter(({ target }) => target !== null);
  return (
    used.length > 0 &&
    doubledTargets(mappings).size === 0 &&
    used.every(
      (mapping) =>
        missingFields(mapping, template).length === 0 && doubledColumns(mapping).size === 0,
    )
  );
}

/** Column letters as spreadsheets write them: 0 is A, 26 is AA. */
export function columnLetters(index: number): string {
  let letters = '';
  for (let rest = index; rest >= 0; rest = Math.floor(rest / 26) - 1) {
    letters = String.fromCharCode(65 + (rest % 26)) + letters;
  }
  return letters;
}

const WORST_FIRST = ['error', 'warning', 'info'] as const;

/** The worst thing said about a cell, or null if nothing is. */
export function worstLevel(issues: readonly Issue[]): (typeof WORST_FIRST)[number] | null {
  return WORST_FIRST.find((level) => issues.some((issue) => issue.level === level)) ?? null;
}

/** Endings of the files the server reads. */
export const FILE_ENDINGS = ['.xlsx', '.xls', '.xlsb', '.ods', '.csv', '.tsv'] as const;

/** A number inside the summary of a committed import, by a path such as `alerts.opened`. */
export function summaryFigure(summary: unknown, path: string): number | null {
  let value: unknown = summary;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null) return null;
    value = (value as Record<string, unknown>)[key];
  }
  return typeof value === 'number' ? value : null;
}
