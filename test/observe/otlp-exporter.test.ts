import { expect, test } from 'bun:test';
import pino from 'pino';
import { Registry } from 'prom-client';
import { createOtlpExporter, type OtlpTuning } from '../../src/observe/otlp-exporter.ts';
import { createTracer, type Span } from '../../src/observe/tracer.ts';
import { createTracingMetrics } from '../../src/observe/tracing.ts';
import { type Collector, startCollector } from '../harness/collector.ts';
import { until } from '../harness/until.ts';

const often = { everyMs: 10, answerMs: 2_000, drainMs: 500 };

function exporterTo(url: string, tuning: Partial<OtlpTuning> = {}) {
  const registry = new Registry();
  const lines: string[] = [];
  const exporter = createOtlpExporter({
    url,
    headers: { 'X-Key': 'k1' },
    resource: { service: 'tributary-test', version: '1.2.3', instance: 'test-1', host: 'here' },
    metrics: createTracingMetrics(registry),
    log: pino({ level: 'info' }, { write: (line) => lines.push(line) }),
    tuning: { ...often, ...tuning },
  });
  const count = async (name: string) => {
    const line = (await registry.metrics()).split('\n').find((each) => each.startsWith(`${name} `));
    return Number(line?.split(' ').at(-1));
  };
  return { exporter, count, lines };
}

function span(n: number, more: Partial<Span> = {}): Span {
  const context = { traceId: 'a'.repeat(32), spanId: n.toString(16).padStart(16, '0'), sampled: true };
  return {
    name: 'a span',
    kind: 'internal',
    context,
    parentSpanId: undefined,
    startedMs: 1_767_225_600_000.25,
    endedMs: 1_767_225_600_001.5,
    attributes: { text: 'x', whole: 3, part: 0.5, yes: true, none: undefined },
    ...more,
  };
}

function all(collector: Collector, count: number) {
  return until(() => collector.spans.length >= count, { what: `${count} spans arrive` });
}

test('a collector gets what was kept, in the form of OTLP', async () => {
  await using collector = startCollector();
  const { exporter, count } = exporterTo(`${collector.url}/`);
  exporter.keep(span(1, { parentSpanId: 'b'.repeat(16), failure: 'it broke', kind: 'server' }));
  exporter.keep(span(2));
  await all(collector, 2);
  expect(collector.headers[0]?.get('content-type')).toBe('application/json');
  expect(collector.headers[0]?.get('x-key')).toBe('k1');
  expect(collector.spans[0]).toEqual({
    service: 'tributary-test',
    traceId: 'a'.repeat(32),
    spanId: '0000000000000001',
    parentSpanId: 'b'.repeat(16),
    flags: 1,
    name: 'a span',
    kind: 2,
    startTimeUnixNano: '1767225600000250000',
    endTimeUnixNano: '1767225600001500000',
    attributes: { text: 'x', whole: 3, part: 0.5, yes: true },
    status: { code: 2, message: 'it broke' },
  });
  expect(collector.spans[1]?.parentSpanId).toBeUndefined();
  await exporter.drain();
  expect(await count('tributary_tracing_exported_spans_total')).toBe(2);
});

test('a collector that is away costs spans only: so many wait, the rest is counted, and those go out when it is back', async () => {
  await using collector = startCollector();
  collector.answer(503);
  const { exporter, count, lines } = exporterTo(collector.url, { maxWaiting: 100, maxBatch: 40 });
  for (let n = 1; n <= 150; n += 1) exporter.keep(span(n));
  await until(() => collector.headers.length > 3, { what: 'it is tried several times' });
  expect(await count('tributary_tracing_dropped_spans_total{reason="full"}')).toBe(50);
  expect(await count('tributary_tracing_waiting_spans')).toBe(100);
  collector.answer(200);
  await all(collector, 100);
  expect(collector.spans.map(({ spanId }) => Number.parseInt(spanId, 16))).toEqual(
    Array.from({ length: 100 }, (_, n) => n + 1),
  );
  await until(() => lines.some((line) => line.includes('traces_exported_again')), {
    what: 'the log says so',
  });
  expect(lines.filter((line) => line.includes('traces_not_exported'))).toHaveLength(1);
  await exporter.drain();
});

test('with nobody there a drain ends in time, and what is left is counted', async () => {
  const collector = startCollector();
  await collector.stop();
  const { exporter, count } = exporterTo(collector.url, { drainMs: 50 });
  for (let n = 1; n <= 3; n += 1) exporter.keep(span(n));
  await exporter.drain();
  expect(await count('tributary_tracing_dropped_spans_total{reason="full"}')).toBe(3);
});

test('spans that the collector refuses for good do not hold up others', async () => {
  await using collector = startCollector();
  collector.answer(400);
  const { exporter, count } = exporterTo(collector.url);
  exporter.keep(span(1));
  await until(async () => (await count('tributary_tracing_dropped_spans_total{reason="refused"}')) === 1, {
    what: 'it is dropped',
  });
  collector.answer(200);
  exporter.keep(span(2));
  await all(collector, 1);
  expect(collector.spans.map(({ spanId }) => spanId)).toEqual(['0000000000000002']);
  await exporter.drain();
});

test('who brings a context decides whether there are spans; of the others a share has them', () => {
  const kept: Span[] = [];
  let dice = 0.4;
  const tracer = createTracer({
    ratio: 0.5,
    random: () => dice,
    randomBytes: (size) => new Uint8Array(size).fill(7),
    now: () => 10.5,
    wallClock: () => 1_000_000,
    keep: (each) => kept.push(each),
  });
  const asked = tracer.begin(`00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`);
  expect(asked?.context).toEqual({ traceId: 'c'.repeat(32), spanId: '07'.repeat(8), sampled: true });
  expect(asked?.parentSpanId).toBe('d'.repeat(16));
  const notAsked = tracer.begin(`00-${'c'.repeat(32)}-${'d'.repeat(16)}-00`);
  expect(notAsked?.context.sampled).toBe(false);
  expect(tracer.begin(null)?.context.traceId).toBe('07'.repeat(16));
  expect(tracer.begin('nonsense')?.parentSpanId).toBeUndefined();
  dice = 0.5;
  expect(tracer.begin(null)).toBeUndefined();
  if (asked === undefined || notAsked === undefined) throw new Error('both are followed');
  tracer.record(span(1, { context: asked.context }));
  tracer.record(span(2, { context: notAsked.context }));
  expect(kept).toHaveLength(1);
});
