export interface LiveSink {
  /** Sends one event; one that finds the client too far behind is dropped and counted. @param data JSON */
  send(event: string, data: string): void;
}

export interface EventStreamOptions {
  /** Begins to send; what it returns ends that. */
  readonly start: (sink: LiveSink) => () => void;
  /** Asked at each beat: a stream does not outlive the key that opened it. */
  readonly stillAllowed: () => Promise<boolean>;
  /** Each ends the stream when it is aborted. */
  readonly signals: readonly AbortSignal[];
  /** Told when it opens and when it has ended. */
  readonly onOpen: (change: 1 | -1) => void;
  /** What waits for the client at most; beyond that one event more, however large. */
  readonly maxBufferedBytes?: number;
  readonly beatMs?: number;
}

/** Longer silences look like a broken connection to proxies. */
const defaults = { maxBufferedBytes: 512 * 1024, beatMs: 15_000 } as const;

export const eventStreamHeaders = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-store',
  // Proxies that gather answers before they send them would hold it back.
  'X-Accel-Buffering': 'no',
} as const;

/**
 * Server-sent events. A client that reads too slowly holds up nobody: what does not fit into its buffer is dropped, and
 * `event: dropped` says how many, as soon as there is room again.
 */
export function eventStream(options: EventStreamOptions): Response {
  const { start, stillAllowed, signals, onOpen } = options;
  const encoder = new TextEncoder();
  let end = () => {};
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        let isOpen = true;
        let dropped = 0;
        const hasRoom = () => (controller.desiredSize ?? 0) > 0;
        const write = (text: string) => controller.enqueue(encoder.encode(text));
        const flushDropped = () => {
          if (dropped === 0 || !hasRoom()) return;
          write(`event: dropped\ndata: {"count":${dropped}}\n\n`);
          dropped = 0;
        };
        const sink: LiveSink = {
          send(event, data) {
            if (!isOpen) return;
            flushDropped();
            if (hasRoom()) write(`event: ${event}\ndata: ${data}\n\n`);
            else dropped += 1;
          },
        };
        const beat = setInterval(() => {
          flushDropped();
          if (hasRoom()) write(': beat\n\n');
          stillAllowed().then(
            (isAllowed) => isAllowed || end(),
            // A database that is away takes nobody's key.
            () => undefined,
          );
        }, options.beatMs ?? defaults.beatMs);
        onOpen(1);
        write('retry: 2000\n\n');
        const stop = start(sink);
        end = () => {
          if (!isOpen) return;
          isOpen = false;
          clearInterval(beat);
          stop();
          onOpen(-1);
          for (const signal of signals) signal.removeEventListener('abort', end);
          try {
            controller.close();
          } catch {
            // The client closed it first.
          }
        };
        for (const signal of signals) signal.addEventListener('abort', end);
        if (signals.some(({ aborted }) => aborted)) end();
      },
      cancel: () => end(),
    },
    {
      highWaterMark: options.maxBufferedBytes ?? defaults.maxBufferedBytes,
      size: (chunk) => chunk?.byteLength ?? 0,
    },
  );
  return new Response(body, { headers: eventStreamHeaders });
}
