/** What files and folders are called, where they lie, and how they can be shown. */

/** The bucket of organisations' files; names in it begin with the organisation's id. */
export const BUCKET = 'files';
/** Files of this many bytes and more are sent in parts, and go on where they broke off. */
export const RESUMABLE_FROM = 6 * 1024 * 1024;
/** Longer texts are not shown, only downloaded. */
export const LONGEST_TEXT = 1024 * 1024;
/** Stands in a folder with nothing else in it; the name that other clients of this interface know. */
export const PLACEHOLDER = '.emptyFolderPlaceholder';
/** What lies here belongs to the spaces of the organisation. */
const SPACES = 'spaces';

export interface Entry {
  name: string;
  folder: boolean;
  /** In bytes. */
  size: number | null;
  type: string | null;
  changed: string | null;
}

/** An entry of a list, as the server gives it. */
export interface Listed {
  name: string;
  id: string | null;
  updated_at: string | null;
  metadata: Record<string, unknown> | null;
}

export function entriesOf(listed: readonly Listed[]): Entry[] {
  return listed
    .filter(({ name }) => name !== PLACEHOLDER)
    .map(({ name, id, updated_at, metadata }) => ({
      name,
      folder: id === null,
      size: typeof metadata?.size === 'number' ? metadata.size : null,
      type: typeof metadata?.mimetype === 'string' ? metadata.mimetype : null,
      changed: updated_at,
    }));
}

/** A name within a sentence that may run the other way. */
export function isolated(name: string): string {
  return `\u2068${name}\u2069`;
}

/** Parts of a path put together; empty ones are left out. */
export function join(...parts: string[]): string {
  return parts.filter((part) => part !== '').join('/');
}

export function parentOf(path: string): string {
  return path.split('/').slice(0, -1).join('/');
}

export function lastPart(path: string): string {
  return path.split('/').at(-1) ?? '';
}

/** The folders on the way to a folder, the outermost first, itself last. */
export function way(folder: string): { name: string; folder: string }[] {
  const parts = folder === '' ? [] : folder.split('/');
  return parts.map((name, index) => ({ name, folder: parts.slice(0, index + 1).join('/') }));
}

/** The server takes letters of all languages; this much is asked here so that the answer comes while somebody types. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const UNFIT = /[\u0000-\u001f\u007f"#%/<>?[\\\]^`{|}~\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u;
const UNFIT_ALL = new RegExp(UNFIT.source, 'gu');

export type NameProblem = 'empty' | 'characters' | 'reserved' | 'long';

/** What is wrong with a name for a file or folder at `parent`. */
export function problemOf(name: string, parent = ''): NameProblem | null {
  if (name.trim() === '') return 'empty';
  if (name === '.' || name === '..' || name === PLACEHOLDER) return 'reserved';
  if (parent === '' && name === SPACES) return 'reserved';
  if (UNFIT.test(name)) return 'characters';
  return new TextEncoder().encode(name).length > 255 ? 'long' : null;
}

/** A name as somebody's computer has it, as it can be kept here. */
export function nameFor(name: string): string {
  // Some systems write letters and their marks apart.
  const fit = name.normalize('NFC').replace(UNFIT_ALL, '_').trim();
  return problemOf(fit, '-') === 'reserved' || fit === '' ? '_' : fit;
}

/** Where a file lies within the folder that was dropped, its own name last. */
export function relativePath(file: Partial<File> & { name: string; path?: string }): string {
  const told = [file.webkitRelativePath, file.path].find(
    (path) => path !== undefined && path !== '',
  );
  const parts = (told ?? file.name)
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .map(nameFor);
  return parts.length === 0 ? nameFor(file.name) : parts.join('/');
}

/** The folder in an address; what cannot be one is the outermost. */
export function readFolder(text: string | undefined): string {
  const parts = (text ?? '').split('/').filter((part) => part !== '');
  return parts.some((part) => part === '.' || part === '..') ? '' : parts.join('/');
}

export type Kind = 'image' | 'pdf' | 'text' | 'sound' | 'film' | 'other';

const IMAGES = /^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml)$/;
const TEXTS = /^(text\/|application\/(json|xml|yaml|toml|sql)$)|\+(json|xml)$/;
const TEXT_ENDINGS = /\.(txt|md|csv|log|json|ya?ml|toml|sql|xml|ini)$/i;

/** How a file can be shown. */
export function kindOf({ name, type }: Pick<Entry, 'name' | 'type'>): Kind {
  const plain = (type ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (IMAGES.test(plain)) return 'image';
  if (plain === 'application/pdf') return 'pdf';
  if (TEXTS.test(plain)) return 'text';
  if (plain.startsWith('audio/')) return 'sound';
  if (plain.startsWith('video/')) return 'film';
  // Browsers know no type for many of these.
  if ((plain === '' || plain === 'application/octet-stream') && TEXT_ENDINGS.test(name)) {
    return 'text';
  }
  return 'other';
}

/** Whether the server can make a smaller picture of it. */
export function isScalable({ type }: Pick<Entry, 'type'>): boolean {
  return /^image\/(png|jpeg|webp|bmp)\b/.test(type ?? '');
}

/** Whether a folder, moved to `target`, would lie within itself. */
export function isWithin(target: string, folder: string): boolean {
  return target === folder || target.startsWith(`${folder}/`);
}
