/** How surely the server knows who is signed in: `aal1` by a password or the like, `aal2` by a second factor besides. */
import type { Session } from '@supabase/supabase-js';

/** What the session's access token says of itself; nothing here trusts it, the server does its own reading. */
function claims(token: string): Record<string, unknown> {
  try {
    const part = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    return JSON.parse(atob(part)) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Whether a second factor was shown in this session. */
export function isRaised(session: Session): boolean {
  return claims(session.access_token).aal === 'aal2';
}

/** Whether the person has a second factor that was not shown in this session yet. */
export function needsSecondStep(session: Session): boolean {
  const has = session.user.factors?.some(({ status }) => status === 'verified') ?? false;
  return has && !isRaised(session);
}
