import { formatCount, formatRate } from '../output/number.ts';
import { type Column, formatFields, formatTable } from '../output/table.ts';
import type { Counts, Tally } from './tally.ts';

export interface SimulationSummary {
  readonly tenant_id: string;
  readonly devices: number;
  readonly seed: number;
  readonly seconds: number;
  readonly sent: number;
  readonly accepted: number;
  readonly refused: number;
  /** Without an answer: may have been stored. */
  readonly unknown: number;
  readonly ways: Readonly<Record<string, Readonly<Counts>>>;
  /** Of the accepted ones. */
  readonly on_purpose: { readonly late: number; readonly duplicates: number; readonly wrong_tokens: number };
  /** What the database holds of it in the end, where nothing went unanswered. */
  readonly expected: {
    readonly telemetry: number;
    readonly heartbeats: number;
    readonly token_invalid: number;
  };
  readonly latency_ms: { readonly p50: number; readonly p95: number; readonly p99: number };
  /** Why messages were refused or went unanswered. */
  readonly reasons: Readonly<Record<string, number>>;
}

export function summarize(
  run: Pick<SimulationSummary, 'tenant_id' | 'devices' | 'seed'> & { readonly elapsedMs: number },
  tally: Tally,
): SimulationSummary {
  const { total, accepted, latencies } = tally;
  const quantile = (q: number) => Number((latencies.quantile(q) ?? 0).toFixed(2));
  return {
    tenant_id: run.tenant_id,
    devices: run.devices,
    seed: run.seed,
    seconds: Number((run.elapsedMs / 1_000).toFixed(1)),
    ...total,
    ways: tally.ways,
    on_purpose: { late: accepted.late, duplicates: accepted.duplicate, wrong_tokens: accepted.wrong_token },
    expected: {
      telemetry: accepted.plain + accepted.late,
      heartbeats: tally.heartbeats.expected,
      token_invalid: accepted.wrong_token,
    },
    latency_ms: { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) },
    reasons: Object.fromEntries(tally.reasons),
  };
}

/** The summary in words, and what to compare it with. */
export function describeSummary(summary: SimulationSummary, width: number): string {
  const { on_purpose: purpose, expected, latency_ms: latency, tenant_id: tenantId } = summary;
  const rows = [...Object.entries(summary.ways), ['total', summary] as const];
  const reasons = Object.entries(summary.reasons).map(([why, count]) => `${formatCount(count)} × ${why}`);
  return [
    formatTable(wayColumns, rows, width),
    '',
    formatFields([
      ['Rate', `${formatRate(summary.sent / Math.max(summary.seconds, 0.1))}/s over ${summary.seconds} s`],
      ['Answered', `p50 ${latency.p50} ms, p95 ${latency.p95} ms, p99 ${latency.p99} ms`],
      [
        'On purpose',
        `${formatCount(purpose.late)} late, ${formatCount(purpose.duplicates)} duplicates, ` +
          `${formatCount(purpose.wrong_tokens)} wrong tokens (of the accepted)`,
      ],
      ...(reasons.length === 0 ? [] : [['Not accepted', reasons.join('\n')] as const]),
    ]),
    '',
    'What the database holds of this run in the end:',
    formatFields([
      [`  ${formatCount(expected.telemetry)} readings`, `tributary telemetry --tenant ${tenantId}`],
      [
        `  ${formatCount(expected.token_invalid)} × TOKEN_INVALID`,
        `tributary quarantine list --tenant ${tenantId}`,
      ],
      [`  ${formatCount(purpose.duplicates)} duplicates`, 'leave no row of their own'],
    ]),
    ...(summary.unknown === 0
      ? []
      : [`  and up to ${formatCount(summary.unknown)} more: those without an answer may have been stored.`]),
  ].join('\n');
}

type Row = readonly [way: string, counts: Readonly<Counts>];

const countColumn = (title: string, value: (counts: Readonly<Counts>) => number): Column<Row> => ({
  title,
  value: ([, counts]) => formatCount(value(counts)),
  align: 'right',
});

const wayColumns: readonly Column<Row>[] = [
  { title: 'WAY', value: ([way]) => way },
  countColumn('SENT', (counts) => counts.sent),
  countColumn('ACCEPTED', (counts) => counts.accepted),
  countColumn('REFUSED', (counts) => counts.refused),
  countColumn('NO ANSWER', (counts) => counts.unknown),
];
