import type { Delivery } from './queries';

/** What has become of a delivery, as a colour beside the word. */
export const COLOURS: Record<Delivery['state'], string> = {
  pending: 'yellow',
  delivered: 'teal',
  failed: 'red',
};
