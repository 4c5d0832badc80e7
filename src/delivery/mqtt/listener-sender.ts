import { type NatsConnection, NoRespondersError } from '@nats-io/nats-core';
import { encodeRepublish, isRepublishTopic } from '../../model/republish.ts';
import { type MqttDestination, renderTopic } from '../../model/route-destination.ts';
import { republishSubject } from '../../stream/subjects.ts';
import { describeError, type Outcome } from '../outcome.ts';
import { placeOf } from '../place.ts';
import { templateValues } from '../render.ts';
import type { Sender } from '../sender.ts';

export interface ListenerOptions {
  readonly destination: MqttDestination;
  readonly nc: NatsConnection;
  readonly timeoutMs: number;
}

/**
 * Republishes to the subscribers of our own listeners. All of them hear it on core NATS; delivered means that one has
 * handed it to its subscribers, and that the server has passed it on to the others. Who is not connected then does not
 * get it: a listener keeps no sessions.
 */
export function createListenerSender({ destination, nc, timeoutMs }: ListenerOptions): Sender {
  return {
    destination: placeOf(destination),
    async send({ jobs: [job] }): Promise<Outcome> {
      const topic = job === undefined ? undefined : renderTopic(destination.topic, templateValues(job));
      if (job === undefined || topic === undefined || !isRepublishTopic(topic)) {
        const detail = `the topic ${JSON.stringify(topic ?? destination.topic)} must not be published`;
        return { kind: 'dead', reason: 'UNDELIVERABLE', detail };
      }
      try {
        const payload = Buffer.from(job.text);
        await nc.request(republishSubject, encodeRepublish({ topic, payload }), { timeout: timeoutMs });
        return { kind: 'delivered' };
      } catch (error) {
        const nobody =
          error instanceof NoRespondersError ||
          (error instanceof Error && error.cause instanceof NoRespondersError);
        return {
          kind: 'retry',
          error: nobody ? 'no MQTT listener is running' : describeError(error),
          unwell: true,
        };
      }
    },
  };
}
