import { expect, test } from 'bun:test';
import { describeAudit } from '../../../src/cli/audit/describe-audit.ts';
import type { AuditedCounts } from '../../../src/model/audited-counts.ts';
import type { EpochAccount } from '../../../src/store/audit/audit-epochs.ts';

const large: AuditedCounts = {
  accepted: 9_999_999_999n,
  stored: 9_999_999_999n,
  duplicates: 9_999_999_999n,
  quarantined: 9_999_999_999n,
  internal: 9_999_999_999n,
  inFlight: 9_999_999_999n,
  unaccounted: 0n,
};

function account(epoch: number, live: boolean, counts: AuditedCounts = large): EpochAccount {
  return {
    ...counts,
    epoch,
    live,
    stream: 'TELEMETRY',
    created: '2026-01-01T00:00:00Z',
    openedAt: new Date(0),
    baseSeq: 0n,
    lastSeq: 0n,
    acknowledged: 0n,
    unaccountedSequences: '{}',
  };
}

test('one epoch is one column', () => {
  const counts = { ...large, accepted: 12n, stored: 10n, duplicates: 1n, quarantined: 1n, internal: 0n };
  const text = describeAudit(
    { epochs: [account(1, true, { ...counts, inFlight: 0n })], total: large },
    [],
    80,
  );
  expect(text.split('\n')).toEqual([
    'EPOCH         1',
    'accepted     12',
    'stored       10',
    'duplicates    1',
    'quarantined   1',
    'internal      0',
    'in flight     0',
    'unaccounted   0',
  ]);
});

test('many epochs with large counts fit a line of 80 columns', () => {
  const epochs = Array.from({ length: 10 }, (_, index) => account(index + 1, index === 9));
  const lines = describeAudit({ epochs, total: large }, [], 80).split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  const titles = lines.filter((line) => line.startsWith('EPOCH')).join(' ');
  expect(titles.match(/\d+ CLOSED/g)).toHaveLength(9);
  expect(titles).toMatch(/ 10 +ALL$/);
});
