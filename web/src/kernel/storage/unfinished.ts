/** Large uploads that ended with their window. The client for uploads in parts writes down where they can go on. */
import { join } from './model';

export interface Unfinished {
  /** Where it is written down. */
  key: string;
  /** Below the organisation. */
  path: string;
  /** In bytes. */
  size: number;
}

/** How what is written down about an upload is named. */
export const markOf = (objectName: string): string => `tenon-${objectName}`;

/** As long as the server keeps what came, unless its settings say otherwise. */
const KEPT_MS = 24 * 3600 * 1000;

function read(text: string | null): { name: string; size: number; begun: number } | null {
  try {
    const { size, creationTime, metadata } = JSON.parse(text ?? '') as {
      size: unknown;
      creationTime: string;
      metadata: { objectName: unknown };
    };
    const name = metadata.objectName;
    if (typeof name !== 'string' || typeof size !== 'number') return null;
    return { name, size, begun: Date.parse(creationTime) };
  } catch {
    return null;
  }
}

/** Those of an organisation that were to go below a folder. */
export function unfinishedIn(
  storage: Storage,
  organizationId: string,
  prefix: string,
  now: number,
): Unfinished[] {
  const folder = `${join(organizationId, prefix)}/`;
  const found: Unfinished[] = [];
  for (let index = 0; index < storage.length; index += 1) {
    const key = storage.key(index) ?? '';
    if (!key.startsWith(`tus::${markOf(folder)}`)) continue;
    const upload = read(storage.getItem(key));
    if (upload === null || !(now - upload.begun < KEPT_MS) || !upload.name.startsWith(folder)) {
      continue;
    }
    found.push({ key, path: upload.name.slice(organizationId.length + 1), size: upload.size });
  }
  return found.sort((a, b) => a.path.localeCompare(b.path));
}
