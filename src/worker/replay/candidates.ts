import { encodeMsgId } from '../../model/identity.ts';
import type { Reason } from '../../model/reasons.ts';
import type { RegisteredDevice, RegistryView } from '../../model/registry.ts';
import type { MessageIdentity, RawMessage, Rejection, Verdict } from '../../model/verdict.ts';
import { selectDevices } from '../../store/quarantine/select-devices.ts';
import type { Quarantined } from '../../store/quarantine/select-quarantined.ts';
import type { Queryable } from '../../store/statements/queryable.ts';
import { type DecodeOptions, decode } from '../decode.ts';
import type { Decoded } from '../decoded.ts';
import { judge, registryChecks } from '../judge/judge.ts';
import { type Claimed, claimed, type Entry } from '../plan.ts';
import { withPayload } from './mended.ts';

export interface ReplayEntry extends Entry {
  readonly row: Quarantined;
  /** It is accepted only because the operator vouches for it. */
  readonly vouched: boolean;
}

/** A quarantined message, judged anew. */
export type Candidate = Claimed<ReplayEntry>;

export interface JudgeOptions {
  readonly decodeOptions: DecodeOptions;
  /** The operator vouches for what the messages' tokens do not show. */
  readonly vouch: boolean;
}

export type DevicesOf = Pick<RegistryView, 'device'>;

/** The devices of these messages, as the registry is now. */
export async function devicesOf(db: Queryable, rows: readonly Quarantined[]): Promise<DevicesOf> {
  const addresses = new Map<string, { tenantId: string; deviceId: string }>();
  for (const { tenantId, deviceId } of rows) {
    if (tenantId !== null && deviceId !== null)
      addresses.set(`${tenantId}/${deviceId}`, { tenantId, deviceId });
  }
  const devices = new Map<string, RegisteredDevice>();
  for (const device of await selectDevices(db, [...addresses.values()]))
    devices.set(`${device.tenantId}/${device.deviceId}`, device);
  return { device: (tenantId, deviceId) => devices.get(`${tenantId}/${deviceId}`) };
}

/**
 * Judges a message as it came, or with the payload that it was mended with, at its own arrival, by the registry as it is
 * now.
 */
export function judgeAgain(
  row: Quarantined,
  registry: DevicesOf,
  { decodeOptions, vouch }: JudgeOptions,
): Candidate {
  const message = rawOf(row);
  const decoded = decodeAgain(row, message, decodeOptions);
  const isMended = row.mendedPayload !== null;
  const entry = (vouched: boolean): ReplayEntry => ({ message, decoded, charged: undefined, row, vouched });
  // What a person has written is as it is meant to be, whatever was cut out of what was sent.
  if (!row.intact && !isMended)
    return claimed(entry(false), { outcome: 'quarantine', rejection: rejectionOf(row) });
  if (isMended && movesTime(row, decoded, decodeOptions)) return claimed(entry(false), timeMoved);
  const verdict = judge(decoded, registry, checksFor(row));
  if (verdict.outcome === 'accept' || !vouch) return claimed(entry(false), verdict);
  const trusted = judge(decoded, registry, vouchedChecks);
  return claimed(entry(trusted.outcome === 'accept'), trusted);
}

const timeMoved: Verdict = {
  outcome: 'quarantine',
  rejection: {
    reason: 'TIMESTAMP_INVALID',
    detail:
      'The message was mended with another time, and its own was right: mend it with the ts that it came with.',
  },
};

/**
 * A resend of a message whose form is right can be stored at any moment, under its own time: mended with another one, the
 * message would be there twice.
 */
function movesTime(row: Quarantined, mended: Decoded, options: DecodeOptions): boolean {
  if (mended.result.form !== 'reading') return false;
  const original = decodeAgain(row, { ...mended.raw, data: row.envelope }, options);
  return (
    original.result.form === 'reading' && original.result.reading.timeUs !== mended.result.reading.timeUs
  );
}

/** Why a message is in the quarantine. */
export function rejectionOf({ reason, detail, sqlstate }: Quarantined): Rejection {
  return { reason: reason as Reason, detail, ...(sqlstate === null ? {} : { sqlstate }) };
}

/** The registry's own look at tokens knows no history; the row's comparison has seen the device's earlier tokens. */
function checksFor({ tokenMatch }: Quarantined): typeof registryChecks {
  return tokenMatch === 'earlier' ? checksWithout('TOKEN_INVALID') : registryChecks;
}

const vouchedChecks = checksWithout('TOKEN_NOT_SET', 'TOKEN_MISSING', 'TOKEN_INVALID', 'DEVICE_REVOKED');

function checksWithout(...reasons: readonly Reason[]): typeof registryChecks {
  return registryChecks.filter(([reason]) => !reasons.includes(reason));
}

/** Its timestamp stands for the moment of arrival, which hangs on it where the envelope does not tell. */
function rawOf(row: Quarantined): RawMessage {
  const identity = identityOf(row);
  return {
    subject: row.subject,
    // It was made so that it fits when it was mended.
    data:
      row.mendedPayload === null
        ? row.envelope
        : (withPayload(row.envelope, row.mendedPayload) ?? row.envelope),
    seq: Number(row.streamSeq),
    timestampNs: BigInt(Math.round(row.arrivedAtMs)) * 1_000_000n,
    msgId: identity.kind === 'sequence' ? undefined : encodeMsgId({ ...identity, kind: identity.kind }),
    deliveryCount: 1,
  };
}

/**
 * A message that went by its place in the stream keeps that identity, unless it turns out to have one of its own:
 * then its resends have that one too.
 */
function decodeAgain(row: Quarantined, message: RawMessage, options: DecodeOptions): Decoded {
  const decoded = decode(message, options, { tokenSha256: row.tokenSha256 ?? undefined });
  const identity = decoded.identity.kind === 'sequence' ? identityOf(row) : decoded.identity;
  return { ...decoded, identity: row.mendedPayload === null ? identity : once(identity) };
}

/**
 * A row of telemetry is found by its time too, and a mended message may have another one than the message had: its
 * identity is settled as a key is, at whatever time.
 */
function once({ identity, bodyHash }: MessageIdentity): MessageIdentity {
  return { kind: 'key', identity, bodyHash: bodyHash ?? identity };
}

function identityOf({ identityKind, identity, bodyHash }: Quarantined): MessageIdentity {
  return { kind: identityKind, identity, bodyHash: bodyHash ?? undefined };
}

/** What the verdicts would make rows of. */
export function readingsOf(candidates: readonly Candidate[]) {
  return candidates.flatMap(({ verdict, entry }) =>
    verdict.outcome === 'accept' ? [{ ...verdict.reading, entry }] : [],
  );
}
