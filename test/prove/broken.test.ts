import { expect, test } from 'bun:test';
import { tempFolder } from '../harness/temp-folder.ts';
import { type Patch, patchedSource } from './patched-source.ts';
import { runProve } from './run-prove.ts';

/** Runs `prove` of a tree with a mistake. The seeds are of faults that the mistake does not survive. */
async function proveWith(patches: readonly Patch[], ...args: string[]) {
  using tree = patchedSource(patches);
  using folder = tempFolder('proved');
  return await runProve(tree.main, folder.path, ...args);
}

// Of this seed NATS stays away longer than a gateway waits for it.
const awayForLong = ['--faults', 'kill-nats', '--trials', '1', '--seed', '6', '--messages', '400'];

test('an ack before the commit is found as messages lost', async () => {
  const { code, report } = await proveWith(
    [
      {
        file: 'src/worker/settle-loop.ts',
        replace: '    const settled = await untilDone(\n',
        by:
          '    for (const { message } of plan.entries) message.ack();\n' +
          '    const settled = await untilDone(\n',
      },
    ],
    ...['--faults', 'kill-worker', '--trials', '3', '--seed', '14'],
  );
  expect(report.counts.lost).toBeGreaterThan(0);
  expect(report.counts.books).toBeGreaterThan(0);
  expect(code).toBe(1);
}, 120_000);

test('rows without a unique key are found as messages doubled', async () => {
  const { code, report } = await proveWith(
    [
      {
        file: 'sql/migrations/0001_spine.sql',
        replace: '  constraint telemetry_identity unique (time, identity)',
        by: '  constraint telemetry_identity check (true)',
      },
      {
        file: 'src/store/statements/insert-telemetry.ts',
        replace: 'on conflict (time, identity) do nothing',
        by: 'on conflict do nothing',
      },
    ],
    ...['--faults', 'restart-nats', '--trials', '2', '--seed', '1'],
  );
  expect(report.counts.doubled).toBeGreaterThan(0);
  expect(code).toBe(1);
}, 120_000);

test('settling what was claimed before is found in the books', async () => {
  const { code, report } = await proveWith(
    [
      {
        file: 'src/worker/settle.ts',
        replace: '.filter(({ message }) => result.claimed.has(message.seq))',
        by: '.filter(() => true)',
      },
    ],
    ...['--faults', 'kill-nats', '--trials', '2', '--seed', '2', '--messages', '500'],
  );
  expect(report.counts.books).toBeGreaterThan(0);
  expect(code).toBe(1);
}, 120_000);

test('a 202 before the PubAck is found as messages lost', async () => {
  const { code, report } = await proveWith(
    [
      {
        file: 'src/intake/intake.ts',
        replace: 'const published = await publish(options, message, { msgId, arrivedAtMs, traceparent });',
        by:
          'const published = { ok: true, seq: 0, duplicate: false } as any;\n' +
          'void publish(options, message, { msgId, arrivedAtMs, traceparent });',
      },
    ],
    ...awayForLong,
  );
  expect(report.counts.lost).toBeGreaterThan(0);
  expect(code).toBe(1);
}, 120_000);

test('a PUBACK before the PubAck is found as messages lost over MQTT', async () => {
  const { code, report } = await proveWith(
    [
      {
        file: 'src/sources/mqtt/ingest.ts',
        replace: '    const outcome = this.#accept(session, topic, packet.payload);',
        by:
          '    guard.acknowledge(packet);\n' +
          '    const outcome = this.#accept(session, topic, packet.payload);',
      },
      {
        file: 'src/sources/mqtt/ingest.ts',
        replace: '    if (result.ok) {\n      session.guard.acknowledge(packet);\n',
        by: '    if (result.ok) {\n',
      },
    ],
    ...awayForLong,
  );
  const lost = report.violations.filter(({ kind }) => kind === 'lost');
  expect(lost.length).toBeGreaterThan(0);
  expect(lost.filter(({ what }) => !what.includes('(mqtt,'))).toEqual([]);
  expect(code).toBe(1);
}, 120_000);

test('a token that stays in the quarantine is found as leaked, and what has no column as changed where it is dropped', async () => {
  const { code, report } = await proveWith(
    [
      {
        file: 'src/worker/quarantine-row.ts',
        replace: 'const envelope = cutEnvelope(message.data);',
        by: 'const envelope = message.data;',
      },
      {
        file: 'src/worker/store-readings.ts',
        replace: '    extraText,\n    arrivedAtMs,\n    epoch',
        by: '    extraText: undefined,\n    arrivedAtMs,\n    epoch',
      },
    ],
    ...['--faults', 'kill-worker', '--trials', '1', '--seed', '3', '--messages', '200'],
  );
  expect(report.violations.filter(({ kind }) => kind === 'leaked').map(({ what }) => what)).toEqual([
    expect.stringMatching(/^\d+ rows of quarantine hold a device's token$/),
  ]);
  expect(report.counts.changed).toBeGreaterThan(0);
  expect(code).toBe(1);
}, 120_000);
