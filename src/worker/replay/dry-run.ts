import { countSelected } from '../../store/quarantine/select-page.ts';
import { selectQuarantined, type TokenMatch } from '../../store/quarantine/select-quarantined.ts';
import { selectStored } from '../../store/quarantine/select-stored.ts';
import type { QuarantineSelection } from '../../store/quarantine/selection.ts';
import { selectMessageKeys } from '../../store/statements/message-keys.ts';
import type { Queryable } from '../../store/statements/queryable.ts';
import { type Candidate, devicesOf, type JudgeOptions, judgeAgain, readingsOf } from './candidates.ts';
import { selectedChunks } from './chunks.ts';

export interface DryRunOptions extends JudgeOptions {
  readonly db: Queryable;
  readonly selection: QuarantineSelection;
  readonly onProgress: (done: number, total: number) => void;
  readonly stop: AbortSignal;
}

/** What a replay would do now; a row that the database itself would refuse is not foreseen. */
export interface DryRunResult {
  readonly messages: number;
  /** How the tokens that the messages were sent with relate to their devices. */
  readonly tokens: Readonly<Record<TokenMatch, number>>;
  readonly stored: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly reasons: ReadonlyMap<string, number>;
  /** Of the refused: what was cut out of them is more than their token, so that no replay can ever store them. */
  readonly altered: number;
  readonly complete: boolean;
}

/** Says what a replay would do, and changes nothing. */
export async function dryRun(options: DryRunOptions): Promise<DryRunResult> {
  const { db, selection, onProgress, stop } = options;
  const { rows: total, newestId } = await countSelected(db, selection);
  const tokens = { current: 0, earlier: 0, mismatch: 0, none: 0 };
  const sums = { messages: 0, stored: 0, duplicates: 0, refused: 0, altered: 0 };
  const reasons = new Map<string, number>();
  // Two that are both in the quarantine: the second would be a duplicate of the first.
  const seen = new Map<string, string>();
  for await (const ids of selectedChunks(db, selection, newestId)) {
    if (stop.aborted) break;
    const rows = await selectQuarantined(db, ids);
    const registry = await devicesOf(db, rows);
    const candidates = rows.map((row) => judgeAgain(row, registry, options));
    const fates = await foresee(db, candidates, seen);
    for (const candidate of candidates) {
      const { row } = candidate.entry;
      tokens[row.tokenMatch] += 1;
      if (!row.intact && row.mendedPayload === null) sums.altered += 1;
      const fate = fates.get(candidate) ?? refusalOf(candidate);
      if (fate === 'stored' || fate === 'duplicates') sums[fate] += 1;
      else {
        sums.refused += 1;
        reasons.set(fate.reason, (reasons.get(fate.reason) ?? 0) + 1);
      }
    }
    sums.messages += rows.length;
    onProgress(Math.min(sums.messages, total), total);
  }
  return { ...sums, tokens, reasons, complete: !stop.aborted };
}

type Fate = 'stored' | 'duplicates' | { readonly reason: string };

function refusalOf({ verdict }: Candidate): Fate {
  return verdict.outcome === 'quarantine' ? verdict.rejection : 'stored';
}

/** The fate of those that pass the checks. */
async function foresee(
  db: Queryable,
  candidates: readonly Candidate[],
  seen: Map<string, string>,
): Promise<Map<Candidate, Fate>> {
  const accepted = candidates.filter(({ verdict }) => verdict.outcome === 'accept');
  const times = readingsOf(accepted).map(({ timeUs }) => timeUs);
  const identities = accepted.map(({ entry }) => entry.decoded.identity.identity);
  const owners = await selectMessageKeys(db, identities);
  const stored = await selectStored(
    db,
    identities.map((identity, index) => ({ identity, timeUs: times[index] ?? 0 })),
  );
  return new Map(
    accepted.map((candidate, index) => {
      const { kind, identity, bodyHash = '' } = candidate.entry.decoded.identity;
      // A key is one message at any time, the other identities have theirs.
      const key = kind === 'key' ? identity : `${identity}/${times[index]}`;
      const owner = seen.get(key) ?? (kind === 'key' ? owners.get(identity) : undefined);
      const fate = fateOf(stored.has(index), owner, kind === 'key' ? bodyHash : owner);
      if (fate === 'stored') seen.set(key, bodyHash);
      return [candidate, fate];
    }),
  );
}

function fateOf(isStored: boolean, owner: string | undefined, own: string | undefined): Fate {
  if (owner !== undefined && owner !== own) return { reason: 'IDENTITY_REUSED' };
  return isStored || owner !== undefined ? 'duplicates' : 'stored';
}
