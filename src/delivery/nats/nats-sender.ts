import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { withDeadline } from '../../lib/deadline.ts';
import { type NatsDestination, renderSubject } from '../../model/route-destination.ts';
import { requestApi } from '../../stream/jetstream-api.ts';
import { createPublisher, type Publisher, type PublishResult } from '../../stream/publisher.ts';
import { describeError, type Outcome } from '../outcome.ts';
import { placeOf } from '../place.ts';
import { templateValues } from '../render.ts';
import type { Sender } from '../sender.ts';

export interface NatsSendersOptions {
  readonly nc: NatsConnection;
  readonly timeoutMs: number;
  readonly log: Logger;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** How long it is believed which stream takes a subject. */
const streamKnownMs = 10_000;
const maxSubjectsKnown = 10_000;

/** Under way to one stream at most; beyond, the job is tried again. */
const inFlight = { maxInFlight: 4_096, maxInFlightBytes: 64 * 1024 * 1024 } as const;

/**
 * Publishes to subjects of the tenant's own, under `out.{tenant_id}.`. Where a stream takes the subject, delivered means
 * its PubAck, and `Nats-Msg-Id` is the job's id, so that the stream drops a second delivery. Where none does, it means
 * that the server has it: who subscribes then gets it, at most once.
 */
export class NatsSenders {
  readonly #options: NatsSendersOptions;
  readonly #publishers = new Map<string, Publisher>();
  readonly #streams = new Map<string, { readonly name: string | undefined; readonly untilMs: number }>();

  constructor(options: NatsSendersOptions) {
    this.#options = options;
  }

  create(destination: NatsDestination): Sender {
    const { subject: template } = destination;
    return {
      destination: placeOf(destination),
      send: async ({ jobs: [job] }): Promise<Outcome> => {
        const subject = job === undefined ? undefined : renderSubject(template, templateValues(job));
        if (job === undefined || subject === undefined) {
          const detail = `the subject template ${template} gives one that must not be published`;
          return { kind: 'dead', reason: 'UNDELIVERABLE', detail };
        }
        try {
          return await this.#publish(subject, Buffer.from(job.text), job.jobId);
        } catch (error) {
          return { kind: 'retry', error: describeError(error), unwell: true };
        }
      },
    };
  }

  async drain(): Promise<void> {
    await Promise.all([...this.#publishers.values()].map((publisher) => publisher.drain()));
  }

  async #publish(subject: string, data: Uint8Array, msgId: string): Promise<Outcome> {
    const { nc, timeoutMs } = this.#options;
    if (data.length > (nc.info?.max_payload ?? Number.POSITIVE_INFINITY) - 1_024) {
      return { kind: 'dead', reason: 'UNDELIVERABLE', detail: 'the message is larger than NATS takes' };
    }
    const stream = await this.#streamOf(subject);
    if (stream !== undefined) {
      const result = await this.#publisherOf(stream).publish(subject, data, msgId);
      if (!result.ok && result.why === 'no_stream') this.#streams.delete(subject);
      return judge(result);
    }
    nc.publish(subject, data);
    await withDeadline(nc.flush(), timeoutMs, () => {
      throw new Error(`NATS did not answer within ${timeoutMs} ms`);
    });
    return { kind: 'delivered' };
  }

  async #streamOf(subject: string): Promise<string | undefined> {
    const { nc, now } = this.#options;
    const known = this.#streams.get(subject);
    if (known !== undefined && known.untilMs > now()) return known.name;
    const { streams } = await requestApi(nc, 'STREAM.NAMES', { subject });
    const first: unknown = Array.isArray(streams) ? streams[0] : undefined;
    const name = typeof first === 'string' ? first : undefined;
    if (this.#streams.size >= maxSubjectsKnown) this.#streams.clear();
    this.#streams.set(subject, { name, untilMs: now() + streamKnownMs });
    return name;
  }

  #publisherOf(stream: string): Publisher {
    const { nc, timeoutMs: publishTimeoutMs, log, now: clock } = this.#options;
    const known = this.#publishers.get(stream);
    if (known !== undefined) return known;
    const publisher = createPublisher({ nc, stream, publishTimeoutMs, ...inFlight, log, clock });
    this.#publishers.set(stream, publisher);
    return publisher;
  }
}

function judge(result: PublishResult): Outcome {
  if (result.ok) return { kind: 'delivered' };
  const error = `${result.why}${result.detail === undefined ? '' : `: ${result.detail}`}`;
  if (result.why === 'too_large') return { kind: 'dead', reason: 'UNDELIVERABLE', detail: error };
  return { kind: 'retry', error, unwell: true };
}
