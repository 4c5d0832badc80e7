import { saveMended } from '../../store/quarantine/save-mended.ts';
import { lockOne } from '../../store/quarantine/select-quarantined.ts';
import type { Queryable } from '../../store/statements/queryable.ts';
import { devicesOf, type JudgeOptions, judgeAgain } from './candidates.ts';
import { faultOfPayload, withPayload } from './mended.ts';

/** The payload cannot take the place of the message's own. The message says why and what to do. */
export class MendRefusedError extends Error {
  override readonly name = 'MendRefusedError';
}

export interface MendRequest {
  readonly id: bigint;
  /** Only a message of this tenant; undefined: of any, also of none that could be read. */
  readonly tenantId: string | undefined;
  /** JSON text: what replays judge instead of what was sent. */
  readonly payload: string;
  /** Who mends. */
  readonly by: string;
}

/** What a replay would say now, without anybody vouching. Whether it is stored already is not looked up. */
export type MendOutcome =
  | { readonly passes: true }
  | { readonly passes: false; readonly reason: string; readonly detail: string };

/**
 * Puts another payload in the place of a quarantined message's own. The envelope stays as it came, and so do arrival,
 * identity and the hash of the token; a replay then judges the new payload. To be called in a transaction.
 * @returns undefined where there is no such message. @throws MendRefusedError
 */
export async function mend(
  db: Queryable,
  { id, tenantId, payload, by }: MendRequest,
  options: JudgeOptions,
): Promise<MendOutcome | undefined> {
  const row = await lockOne(db, id, tenantId);
  if (row === undefined) return undefined;
  const registry = await devicesOf(db, [row]);
  const device =
    row.tenantId === null || row.deviceId === null ? undefined : registry.device(row.tenantId, row.deviceId);
  const tokenHashes = [row.tokenSha256 ?? undefined, device?.tokenSha256, device?.previousTokenSha256].filter(
    (hash) => hash !== undefined,
  );
  const { maxBodyBytes } = options.decodeOptions;
  const fault = faultOfPayload(payload, { maxBodyBytes, tokenHashes });
  if (fault !== undefined) throw new MendRefusedError(`The payload ${fault}.`);
  if (withPayload(row.envelope, payload) === undefined)
    throw new MendRefusedError(
      `The envelope of message ${id} is no JSON object, so that there is no place for a payload in it: it can only be purged.`,
    );
  await saveMended(db, { id, payload, by });
  const { verdict } = judgeAgain({ ...row, mendedPayload: payload }, registry, options);
  if (verdict.outcome !== 'quarantine') return { passes: true };
  const { reason, detail } = verdict.rejection;
  return { passes: false, reason, detail };
}
