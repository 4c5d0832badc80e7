import type { Msg } from '@nats-io/nats-core';
import type { PublishFailure } from './publisher-contract.ts';

/** What JetStream answered to one publish. */
export type PubAck =
  | {
      readonly stored: true;
      readonly stream: string;
      readonly seq: number;
      /** The id was known already; `seq` is that of the stored message. */
      readonly duplicate: boolean;
    }
  | {
      readonly stored: false;
      readonly why: PublishFailure;
      /** It passes by itself, as when JetStream is still recovering: worth another try. */
      readonly passing: boolean;
      /** false: the server could not say whether it is stored. */
      readonly known: boolean;
      readonly detail: string;
    };

const noResponders = 503;
const notLeader = 'raft: not leader';

/** JetStream's `err_code`s that say more than "refused". */
const errCode = {
  clusterNotAvailable: 10_008,
  insufficientResources: 10_023,
  notEnabledForAccount: 10_039,
  storageExceeded: 10_047,
  messageTooLarge: 10_054,
  streamNotFound: 10_059,
  notEnabled: 10_076,
  storeFailed: 10_077,
  sameIdUnderWay: 10_158,
  tooManyRequests: 10_167,
} as const;

/** Reads the reply to a publish; `undefined` when it comes from somebody who is not JetStream. */
export function readPubAck(reply: Pick<Msg, 'data' | 'headers' | 'string'>): PubAck | undefined {
  const data = reply.data;
  if (data.length === 0) {
    return reply.headers?.code === noResponders ? nobodyListens : undefined;
  }
  let body: unknown;
  try {
    body = JSON.parse(reply.string());
  } catch {
    return undefined;
  }
  return typeof body === 'object' && body !== null ? readBody(body) : undefined;
}

const nobodyListens: PubAck = {
  stored: false,
  why: 'no_stream',
  passing: true,
  known: true,
  detail: 'no stream listens to the subject',
};

function readBody(body: {
  readonly error?: unknown;
  readonly stream?: unknown;
  readonly seq?: unknown;
  readonly duplicate?: unknown;
}): PubAck | undefined {
  const { error, stream, seq, duplicate } = body;
  if (typeof error === 'object' && error !== null) return readError(error);
  if (typeof stream !== 'string' || typeof seq !== 'number' || seq < 1) return undefined;
  return { stored: true, stream, seq, duplicate: duplicate === true };
}

function readError(error: { readonly err_code?: unknown; readonly description?: unknown }): PubAck {
  const code = typeof error.err_code === 'number' ? error.err_code : 0;
  const description = typeof error.description === 'string' ? error.description : 'no description';
  const detail = `${description} (${code})`;
  const refused = (why: PublishFailure, how: { passing?: boolean; known?: boolean } = {}): PubAck => ({
    stored: false,
    why,
    passing: how.passing ?? false,
    known: how.known ?? true,
    detail,
  });
  switch (code) {
    case errCode.storeFailed:
      // One code for every limit, and for a store that failed: only the text tells them apart.
      if (description.includes('per subject exceeded')) return refused('tenant_full');
      if (/maximum (bytes|messages) exceeded/.test(description)) return refused('stream_full');
      return refused('refused', { known: false });
    case errCode.sameIdUnderWay:
      // An earlier send under this id waits for the other replicas: the next answer says whether it was stored.
      return refused('timeout', { passing: true, known: false });
    case errCode.insufficientResources:
    case errCode.storageExceeded:
      return refused('stream_full');
    case errCode.messageTooLarge:
      return refused('too_large');
    case errCode.tooManyRequests:
      return refused('overloaded');
    case errCode.streamNotFound:
    case errCode.notEnabledForAccount:
      return refused('no_stream');
    case errCode.clusterNotAvailable:
    case errCode.notEnabled:
      return refused('no_stream', { passing: true });
    default:
      // A server that has just ceased to lead has taken nothing; the next leader will.
      return description === notLeader ? refused('no_stream', { passing: true }) : refused('refused');
  }
}
