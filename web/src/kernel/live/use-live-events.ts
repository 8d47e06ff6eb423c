/** Live events of one organisation, over server-sent events read with fetch, since EventSource sends no headers. */
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { useEffect, useEffectEvent, useState } from 'react';
import { requestHeaders } from '@/api/client';

export interface LiveEvent {
  /** `ready` when the stream begins, `reload` when news was missed, else what the topic's module calls it. */
  type: string;
  topic?: string;
  [field: string]: unknown;
}

const LONGEST_PAUSE_MS = 15_000;

export function readLiveEvent(name: string | undefined, data: string): LiveEvent | null {
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value !== 'object' || value === null) return null;
    return { type: name ?? 'message', ...value };
  } catch {
    return null;
  }
}

async function listen(
  organizationId: string,
  topics: string,
  signal: AbortSignal,
  onOpen: () => void,
  onEvent: (event: LiveEvent) => void,
): Promise<void> {
  const response = await fetch(`/realtime/v1/sse?topics=${encodeURIComponent(topics)}`, {
    headers: { ...(await requestHeaders(organizationId)), Accept: 'text/event-stream' },
    signal,
  });
  if (!response.ok || response.body === null) throw new Error(`live events: ${response.status}`);
  onOpen();
  const reader = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const event = readLiveEvent(value.event, value.data);
    if (event !== null) onEvent(event);
  }
}

/**
 * Follows `topics` while `enabled`, reconnecting with growing pauses.
 * Returns whether events arrive at present, so that the caller polls when they do not.
 */
export function useLiveEvents(
  organizationId: string,
  topics: string,
  enabled: boolean,
  onEvent: (event: LiveEvent) => void,
): boolean {
  const [connected, setConnected] = useState(false);
  const handle = useEffectEvent(onEvent);

  useEffect(() => {
    if (!enabled) return;
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;

    const connect = () => {
      listen(
        organizationId,
        topics,
        controller.signal,
        () => {
          failures = 0;
          setConnected(true);
        },
        handle,
      )
        .catch(() => {
          failures += 1;
        })
        .finally(() => {
          if (controller.signal.aborted) return;
          setConnected(false);
          timer = setTimeout(connect, Math.min(1000 * 2 ** failures, LONGEST_PAUSE_MS));
        });
    };
    connect();

    return () => {
      controller.abort();
      clearTimeout(timer);
      setConnected(false);
    };
  }, [organizationId, topics, enabled]);

  return connected;
}
