/**
 * Prints the rows of the tables in `docs/proof.md` from what `tributary prove --json` printed:
 * `bun scripts/proof-table.ts kill-*.json`; of a cluster's, fault by fault: `bun scripts/proof-table.ts --cluster *.json`. No
 * figure there is typed by hand.
 */
import { readFileSync } from 'node:fs';
import type { FaultSummary, ProveReport, Spread } from '../src/prove/report.ts';

const number = (value: number) => Math.round(value).toLocaleString('en-US');
// JSON knows no undefined.
const spread = (value: Spread | undefined | null) =>
  value === undefined || value === null ? '—' : `${number(value.median)} / ${number(value.worst)}`;

const isCluster = process.argv[2] === '--cluster';
for (const file of process.argv.slice(isCluster ? 3 : 2)) {
  const report: ProveReport = JSON.parse(readFileSync(file, 'utf8'));
  if (isCluster) {
    for (const row of [...report.faults, report.total]) console.log(clusterRow(report, row));
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

function clusterRow({ seed, violations }: ProveReport, row: FaultSummary): string {
  const found = violations.filter(({ faults }) => row.fault === 'all' || faults.includes(row.fault)).length;
  const cells = [
    seed,
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
    found === 0 ? 'held' : '**violated**',
  ];
  return `| ${cells.join(' | ')} |`;
}
