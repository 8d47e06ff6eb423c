const KEY = 'tenon.organization';

/** Where the user was last; only a convenience, so a browser without storage does without it. */
export const lastOrganization = {
  get(): string | null {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  },
  set(slug: string): void {
    try {
      localStorage.setItem(KEY, slug);
    } catch {
      // Storage is full or forbidden.
    }
  },
};
