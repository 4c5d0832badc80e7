import type { Logger } from 'pino';
import { type OtlpResource, otlpJson } from './otlp-json.ts';
import type { Span } from './tracer.ts';
import type { TracingMetrics } from './tracing.ts';

export interface OtlpExporterOptions {
  /** Of the collector, as OTEL_EXPORTER_OTLP_ENDPOINT would have it: `/v1/traces` is added. */
  readonly url: string;
  /** More request headers, as for a key. */
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: OtlpResource;
  readonly metrics: TracingMetrics;
  readonly log: Logger;
  readonly tuning?: Partial<OtlpTuning>;
}

export interface OtlpTuning {
  /** Spans that wait at most; what comes on top is dropped and counted. */
  readonly maxWaiting: number;
  /** Spans in one request. */
  readonly maxBatch: number;
  readonly everyMs: number;
  readonly answerMs: number;
  /** How long a stop may wait for the collector. */
  readonly drainMs: number;
}

export const otlpDefaults: OtlpTuning = {
  maxWaiting: 4_096,
  maxBatch: 512,
  everyMs: 1_000,
  answerMs: 5_000,
  drainMs: 1_000,
};

export interface OtlpExporter {
  /** Never blocks and never throws. */
  keep(span: Span): void;
  /** Sends what waits, as far as the time allows. */
  drain(): Promise<void>;
}

/** What another try may mend, by OTLP/HTTP; everything else is refused for good. */
const passing: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/**
 * Sends spans to a collector by OTLP over HTTP, as JSON, in batches. A collector that is away harms nothing but the spans:
 * so many wait, the rest is dropped and counted.
 */
export function createOtlpExporter(options: OtlpExporterOptions): OtlpExporter {
  const { metrics, log, headers, resource } = options;
  const tuning = { ...otlpDefaults, ...options.tuning };
  const url = `${options.url.replace(/\/+$/, '')}/v1/traces`;
  let waiting: Span[] = [];
  let sending: Promise<void> | undefined;
  let isFailing = false;
  metrics.watch(() => waiting.length);

  const told = (failure: string | undefined) => {
    if (failure !== undefined && !isFailing)
      log.warn({ event: 'traces_not_exported', collector: url, why: failure }, 'spans cannot be exported');
    if (failure === undefined && isFailing)
      log.info({ event: 'traces_exported_again', collector: url }, 'spans are exported again');
    isFailing = failure !== undefined;
  };
  /** @returns whether to go on with the next batch */
  const sendBatch = async (): Promise<boolean> => {
    const batch = waiting.slice(0, tuning.maxBatch);
    const answer = await post(url, headers, otlpJson(resource, batch), tuning.answerMs);
    told(answer.failure);
    if (answer.again) return false;
    waiting = waiting.slice(batch.length);
    if (answer.failure === undefined) metrics.exported(batch.length);
    else metrics.dropped('refused', batch.length);
    return true;
  };
  const send = (): Promise<void> => {
    sending ??= (async () => {
      while (waiting.length > 0 && (await sendBatch()));
    })().finally(() => {
      sending = undefined;
    });
    return sending;
  };
  const timer = setInterval(() => void send(), tuning.everyMs);
  timer.unref();
  return {
    keep(span) {
      if (waiting.length >= tuning.maxWaiting) metrics.dropped('full', 1);
      else if (waiting.push(span) === tuning.maxBatch) void send();
    },
    async drain() {
      clearInterval(timer);
      await Promise.race([send().then(send), Bun.sleep(tuning.drainMs)]);
      if (waiting.length > 0) metrics.dropped('full', waiting.length);
      waiting = [];
    },
  };
}

async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  answerMs: number,
): Promise<{ readonly failure: string | undefined; readonly again: boolean }> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json' },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(answerMs),
    });
    await response.arrayBuffer();
    if (response.ok) return { failure: undefined, again: false };
    return { failure: `it answers ${response.status}`, again: passing.has(response.status) };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error), again: true };
  }
}
