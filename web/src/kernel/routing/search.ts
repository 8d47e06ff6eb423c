/** Plain, readable addresses: every search parameter is text, and what is empty is left out. */
export type Search = Record<string, string | undefined>;

export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(search: Record<string, unknown>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value === undefined || value === null || value === '') continue;
    // Strings and numbers only: anything else would not survive the way back.
    if (typeof value === 'string' || typeof value === 'number') parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text.replaceAll('%2C', ',')}`;
}

/** For routes whose parameters their page reads itself. */
export function anySearch(search: Record<string, unknown>): Search {
  return Object.fromEntries(
    Object.entries(search).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
}

/** Where sign-in leads, and why it is shown. */
export interface SignInSearch {
  next?: string;
  reason?: string;
  /** The address to fill in: whom an invitation is meant for. */
  email?: string;
}

export function signInSearch(search: Record<string, unknown>): SignInSearch {
  const { next, reason, email } = search;
  return {
    ...(typeof next === 'string' ? { next } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof email === 'string' ? { email } : {}),
  };
}

/** Where the second step leads, why it is shown, and by what it is done. */
export interface SecondFactorSearch extends SignInSearch {
  way?: string;
}

export function secondFactorSearch(search: Record<string, unknown>): SecondFactorSearch {
  const { way } = search;
  return { ...signInSearch(search), ...(typeof way === 'string' ? { way } : {}) };
}

/** Only a path of this site may follow a sign-in; anything else would be an open redirect. */
export function safeNext(next: string | undefined): string {
  return next !== undefined && /^\/(?![/\\])/.test(next) ? next : '/';
}
