/** What somebody chose, as the form changes it. */
import type { Channel, Choice, Preferences } from './queries';

const CHANNELS: readonly Channel[] = ['app', 'mail', 'sms'];

/** The choice that is kept; every kind is named, so that a later change of its own channels changes nothing that was seen. */
export function choiceOf(loaded: Preferences): Choice {
  return {
    zone: loaded.zone ?? null,
    quiet_from: loaded.quiet_from ?? null,
    quiet_until: loaded.quiet_until ?? null,
    digest: loaded.digest,
    digest_hour: loaded.digest_hour,
    digest_weekday: loaded.digest_weekday,
    kinds: Object.fromEntries(
      loaded.kinds.map((kind) => [
        kind.name,
        Object.fromEntries(CHANNELS.map((channel) => [channel, kind[channel]])),
      ]),
    ),
  };
}

export function changed(loaded: Preferences, choice: Choice): boolean {
  return JSON.stringify(choiceOf(loaded)) !== JSON.stringify(choice);
}
