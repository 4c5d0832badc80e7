/**
 * Prints the rows of the tables in `docs/proof.md` from what `tributary prove --json` printed:
 * `bun scripts/proof-table.ts kill-*.json`. No figure there is typed by hand.
 */
import { readFileSync } from 'node:fs';
import type { ProveReport, Spread } from '../src/prove/report.ts';

const number = (value: number) => Math.round(value).toLocaleString('en-US');
// JSON knows no undefined.
const spread = (value: Spread | undefined | null) =>
  value === undefined || value === null ? '—' : `${number(value.median)} / ${number(value.worst)}`;

for (const file of process.argv.slice(2)) {
  const report: ProveReport = JSON.parse(readFileSync(file, 'utf8'));
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
