import { useEffect, useRef } from 'preact/hooks';
import { apiUrl, call, type Query } from './api.ts';

export type FeedState = 'connecting' | 'open' | 'lost';

export interface FeedHandlers {
  readonly on: Readonly<Record<string, (data: unknown) => void>>;
  readonly onState?: (state: FeedState) => void;
}

const firstRetryMs = 1_000;
const lastRetryMs = 15_000;

/**
 * Server-sent events as long as the page is shown: a hidden tab listens to nothing, and comes back at once. A browser
 * gives up an event source that was refused; we ask again, and whether the session still lives.
 */
export function openFeed(path: string, query: Query, { on, onState }: FeedHandlers): () => void {
  let source: EventSource | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let retryMs = firstRetryMs;

  const close = () => {
    clearTimeout(retry);
    source?.close();
    source = undefined;
  };
  const open = () => {
    close();
    onState?.('connecting');
    source = new EventSource(apiUrl(path, query));
    source.onopen = () => {
      retryMs = firstRetryMs;
      onState?.('open');
    };
    source.onerror = () => {
      onState?.('lost');
      close();
      // A 401 ends the session here, too.
      void call('GET', '/session').catch(() => {});
      retry = setTimeout(open, retryMs);
      retryMs = Math.min(retryMs * 2, lastRetryMs);
    };
    for (const [name, handle] of Object.entries(on)) {
      source.addEventListener(name, (event) => handle(JSON.parse((event as MessageEvent<string>).data)));
    }
  };
  const onVisibility = () => (document.hidden ? close() : open());
  document.addEventListener('visibilitychange', onVisibility);
  if (!document.hidden) open();
  return () => {
    document.removeEventListener('visibilitychange', onVisibility);
    close();
  };
}

/** A feed for as long as the component is there; the latest handlers are called. */
export function useFeed(path: string | undefined, query: Query, handlers: FeedHandlers): void {
  const latest = useRef(handlers);
  latest.current = handlers;
  const names = Object.keys(handlers.on).join(' ');
  const identity = JSON.stringify(query);
  // The query is compared by its text
  useEffect(() => {
    if (path === undefined) return;
    const on = Object.fromEntries(
      names.split(' ').map((name) => [name, (data: unknown) => latest.current.on[name]?.(data)]),
    );
    return openFeed(path, query, { on, onState: (state) => latest.current.onState?.(state) });
  }, [path, identity, names]);
}
