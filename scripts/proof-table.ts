/**
 * Prints the rows of the tables in `docs/proof.md` from what `tributary prove --json` printed:
 * `bun scripts/proof-table.ts kill-*.json`; fault by fault, of a cluster's: `bun scripts/proof-table.ts --cluster *.json`, and of
 * the bridge's: `--bridge`. No figure there is typed by hand.
 */
import { readFileSync } from 'node:fs';
import type { FaultSummary, ProveReport, Spread } from '../src/prove/report.ts';

const number = (value: number) => Math.round(value).toLocaleString('en-US');
// JSON knows no undefined.
const spread = (value: Spread | undefined | null) =>
  value === undefined || value === null ? '—' : `${number(value.median)} / ${number(value.worst)}`;

const kind = process.argv[2]?.startsWith('--') ? process.argv[2] : undefined;
const rowOf = kind === '--bridge' ? bridgeRow : kind === '--cluster' ? clusterRow : undefined;
for (const file of process.argv.slice(kind === undefined ? 2 : 3)) {
  const report: ProveReport = JSON.parse(readFileSync(file, 'utf8'));
  if (rowOf !== undefined) {
    for (const row of [...report.faults, report.total]) console.log(rowOf(report, row));
    continue;
  }
  const { total } = report;
  const kinds = Object.keys(report.strikes);
  const struck = Object.values(report.strikes).reduce((sum, times) => sum + times, 0);
  const fault = kinds.length === 1 ? kinds[0] : `${struck} faults of ${kinds.length} kinds`;
  const cells = [
    report.seed,
    fault,
    number(total.trials),
    number(total.answered),
    number(total.stored),
    number(total.quarantined),
    total.lost,
    total.doubled,
    number(total.unknown),
    number(total.redeliveries),
    spread(total.first_yes_ms),
    spread(total.settled_ms),
    number(total.worst_yes_ms),
    report.passed ? 'held' : '**violated**',
  ];
  console.log(`| ${cells.join(' | ')} |`);
}

function foundIn({ violations }: ProveReport, row: FaultSummary): string {
  const found = violations.filter(({ faults }) => row.fault === 'all' || faults.includes(row.fault)).length;
  return found === 0 ? 'held' : '**violated**';
}

function bridgeRow(report: ProveReport, row: FaultSummary): string {
  const cells = [
    report.seed,
    row.fault,
    number(row.trials),
    number(row.answered),
    number(row.stored),
    number(row.quarantined),
    row.lost,
    row.doubled,
    number(row.forgotten_by_broker),
    number(row.unknown),
    number(row.redeliveries),
    spread(row.first_yes_ms),
    spread(row.settled_ms),
    foundIn(report, row),
  ];
  return `| ${cells.join(' | ')} |`;
}

function clusterRow(report: ProveReport, row: FaultSummary): string {
  const cells = [
    report.seed,
    row.fault,
    number(row.trials),
    number(row.answered),
    row.lost,
    row.doubled,
    number(row.unknown),
    number(row.redeliveries),
    spread(row.elected_ms),
    spread(row.first_yes_ms),
    spread(row.after_election_ms),
    spread(row.settled_ms),
    foundIn(report, row),
  ];
  return `| ${cells.join(' | ')} |`;
}
