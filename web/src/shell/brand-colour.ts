/** The colour of the organisation on the screen. The theme stands above the router, which knows the organisation. */
import { useSyncExternalStore } from 'react';

let current: string | null = null;
const listeners = new Set<() => void>();

export function setBrandColour(colour: string | null): void {
  if (colour === current) return;
  current = colour;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useBrandColour(): string | null {
  return useSyncExternalStore(subscribe, () => current);
}
