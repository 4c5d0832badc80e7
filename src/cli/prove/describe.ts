import type { FaultSummary, ProveReport, ReportedViolation, Spread } from '../../prove/report.ts';
import { formatDuration } from '../output/duration.ts';
import { formatCount } from '../output/number.ts';
import { formatTable } from '../output/table.ts';

const shownViolations = 20;

/** The table, what was found, and what the figures allow to say. */
export function describeReport(report: ProveReport, columns: number): string {
  const { total, faults } = report;
  const rows = faults.length > 1 ? [...faults, total] : faults;
  const missing = report.left_out.map(({ fault, why }) => `Left out: ${fault}: ${why}`).join('\n');
  const parts = [
    counts(rows, columns),
    times(rows, columns),
    findings(report),
    forgotten(report),
    missing,
    verdict(report),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

const number = (title: string, value: (row: FaultSummary) => number) =>
  ({ title, align: 'right', value: (row: FaultSummary) => formatCount(value(row)) }) as const;
const spread = (title: string, value: (row: FaultSummary) => Spread | undefined) =>
  ({
    title,
    align: 'right',
    value: (row: FaultSummary) => {
      const found = value(row);
      return found === undefined ? undefined : `${seconds(found.median)} / ${seconds(found.worst)}`;
    },
  }) as const;

function counts(rows: readonly FaultSummary[], columns: number): string {
  return formatTable(
    [
      { title: 'fault', value: (row: FaultSummary) => row.fault },
      number('trials', (row) => row.trials),
      number('answered', (row) => row.answered),
      number('stored', (row) => row.stored),
      number('quarantined', (row) => row.quarantined),
      number('lost', (row) => row.lost),
      number('doubled', (row) => row.doubled),
      number('unknown', (row) => row.unknown),
    ],
    rows,
    columns,
  );
}

function times(rows: readonly FaultSummary[], columns: number): string {
  return formatTable(
    [
      { title: 'median / worst', value: (row: FaultSummary) => row.fault },
      ...(rows.some((row) => row.elected_ms !== undefined)
        ? [spread('new leader after it', (row) => row.elected_ms)]
        : []),
      spread('first yes after it', (row) => row.first_yes_ms),
      spread('all settled after it', (row) => row.settled_ms),
      { title: 'worst yes', align: 'right', value: (row) => seconds(row.worst_yes_ms) },
      number('redeliveries', (row) => row.redeliveries),
    ],
    rows,
    columns,
  );
}

function findings({ violations, folders }: ProveReport): string {
  if (violations.length === 0) return 'No violation.';
  const more = violations.length - shownViolations;
  return [
    `${formatCount(violations.length)} violations:`,
    ...violations.slice(0, shownViolations).map(describeViolation),
    ...(more > 0 ? [`  and ${formatCount(more)} more; --json lists all`] : []),
    ...folders.map((folder) => `Logs and data: ${folder}`),
  ].join('\n');
}

function forgotten({ total, forgotten: lost }: ProveReport): string {
  if (total.forgotten_by_broker === 0) return '';
  return (
    `${formatCount(total.forgotten_by_broker)} messages that the broker had acknowledged were lost by it when it was ` +
    `killed, before a bridge had them: docs/mqtt-bridge.md#what-the-broker-must-be-told. The first:\n  ${lost[0] ?? ''}`
  );
}

function describeViolation({ kind, what, identity, trial, seed, faults }: ReportedViolation): string {
  const where = trial === undefined ? 'at the end' : `trial ${trial + 1}`;
  const repeat = seed === undefined ? '' : `; again: --seed ${seed} --trials 1 --faults ${faults.join(',')}`;
  return `  ${kind} (${where}): ${what}${identity === undefined ? '' : ` [${identity}]`}${repeat}`;
}

function verdict(report: ProveReport): string {
  const { total, seed } = report;
  const took = `${formatCount(total.trials)} trials in ${formatDuration(report.elapsed_ms)}, seed ${seed}.`;
  if (!report.passed) return report.stopped_early ? `Stopped early: ${took}` : `FAILED: ${took}`;
  // For many trials this is the rule of three: 3/n.
  const bound = (100 * (1 - 0.05 ** (1 / total.trials))).toPrecision(2);
  return (
    `Passed: ${took}\nNo failure in ${formatCount(total.trials)} trials bounds the rate of failing trials at ` +
    `${bound} % (95 % confidence), for faults and loads like these.`
  );
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}
