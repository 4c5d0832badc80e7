import type { IPublishPacket } from 'mqtt-packet';
import { backoffMs } from '../../../lib/backoff.ts';
import { traceparentHeader } from '../../../model/trace-context.ts';
import type { PublishWindow } from '../publish-window.ts';
import type { BridgeOptions, BridgeTuning } from './bridge-contract.ts';
import { BrokerLink } from './broker-link.ts';
import type { Letter } from './carry.ts';
import { type Fate, InHand } from './in-hand.ts';

export interface BridgedSessionOptions
  extends Pick<BridgeOptions, 'broker' | 'retire' | 'maxInFlight' | 'metrics' | 'log' | 'clock' | 'random'> {
  readonly clientId: string;
  readonly tuning: BridgeTuning;
  /** Shared by all sessions. */
  readonly window: PublishWindow;
  readonly carry: (letter: Letter) => Fate;
  /** A message was dropped. */
  readonly onDropped: (letter: Letter, outcome: string) => void;
}

/**
 * One client id at the broker: connects again whenever the connection ends, and acknowledges what JetStream has.
 *
 * Invariant: a PUBACK is written only after `carry` told what became of the message, and only on the connection that
 * delivered it.
 */
export class BridgedSession {
  readonly #options: BridgedSessionOptions;
  readonly #inHand: InHand;
  #link: BrokerLink | undefined;
  #redial: NodeJS.Timeout | undefined;
  #failures = 0;
  #subscribedAtMs: number | undefined;
  #hadSession = false;
  #draining = false;
  #whyAway: string | undefined = 'not connected yet';
  readonly #underWay = new Set<Fate>();
  readonly #retired = Promise.withResolvers<void>();
  #quiet: NodeJS.Timeout | undefined;

  constructor(options: BridgedSessionOptions) {
    this.#options = options;
    const { broker, maxInFlight } = options;
    // Twice, for what is of the connection before.
    this.#inHand = new InHand(2 * (broker.version === '5' ? broker.receiveMaximum : maxInFlight));
  }

  /** Undefined while it is subscribed. */
  get whyAway(): string | undefined {
    return this.#whyAway;
  }

  /** Never, unless that was asked for. */
  get retired(): Promise<void> {
    return this.#retired.promise;
  }

  start(): void {
    const { broker, clientId, tuning, retire } = this.#options;
    try {
      const link: BrokerLink = new BrokerLink({
        broker,
        clientId,
        retire,
        ...tuning,
        onConnected: (present, keptForSeconds) => this.#connected(present, keptForSeconds),
        onSubscribed: () => this.#subscribed(),
        onPublish: (publish) => this.#received(link, publish),
        onClosed: (error) => this.#closed(error),
      });
      this.#link = link;
    } catch (error) {
      this.#closed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Reads no more; resolves when what is under way has its fate, and leaves. */
  async drain(deadline: Promise<unknown>): Promise<void> {
    this.#draining = true;
    clearTimeout(this.#redial);
    clearTimeout(this.#quiet);
    this.#link?.hold();
    await Promise.race([Promise.all(this.#underWay), deadline]);
    await this.#link?.leave();
  }

  #subscribed(): void {
    const { broker, clientId, retire, metrics, log } = this.#options;
    this.#subscribedAtMs = this.#options.clock();
    this.#whyAway = undefined;
    metrics.subscribed();
    const about = { event: 'mqtt_bridge_subscribed', clientId, broker: broker.url.host };
    if (!retire) log.info(about, 'subscribed at the broker');
    else this.#whenQuiet();
  }

  /** Ends the session when nothing has come for a while, and all that came is acknowledged. */
  #whenQuiet(): void {
    const { retire, tuning, clientId, log } = this.#options;
    if (!retire || this.#draining) return;
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => {
      if (this.#underWay.size > 0 || this.#whyAway !== undefined) return;
      this.#draining = true;
      void this.#link?.leave(true).then(() => {
        log.info({ event: 'mqtt_bridge_retired', clientId }, 'nothing waits here any more, and nothing will');
        this.#retired.resolve();
      });
    }, tuning.quietMs);
  }

  #connected(present: boolean, keptForSeconds: number | undefined): void {
    const { clientId, broker, metrics, log } = this.#options;
    if (keptForSeconds !== undefined && keptForSeconds < broker.sessionExpirySeconds) {
      const about = { event: 'mqtt_bridge_session_shorter', clientId, keptForSeconds };
      log.warn(about, 'the broker keeps the session of a bridge that is away for a shorter time than asked');
    }
    if (!present) {
      this.#inHand.clear();
      if (this.#hadSession) {
        metrics.sessionLost();
        const about = { event: 'mqtt_bridge_session_lost', clientId };
        log.warn(about, 'the broker has forgotten the session: what waited in it is lost');
      }
    }
    this.#hadSession = true;
  }

  #closed(error: Error | undefined): void {
    const { metrics, log, clientId, broker, tuning, clock, random } = this.#options;
    if (this.#whyAway === undefined) metrics.unsubscribed();
    this.#link = undefined;
    const whyBefore = this.#whyAway;
    this.#whyAway = error?.message ?? 'left';
    if (this.#draining) return;
    // Once, and not at every try to come back.
    if (this.#whyAway !== whyBefore) {
      const about = { event: 'mqtt_bridge_away', clientId, broker: broker.url.host, error: this.#whyAway };
      log.warn(about, 'the connection to the broker ended');
    }
    // Two that take one client id from each other must not do so at full speed.
    const livedMs = this.#subscribedAtMs === undefined ? 0 : clock() - this.#subscribedAtMs;
    this.#subscribedAtMs = undefined;
    if (livedMs > tuning.reconnectMaxMs) this.#failures = 0;
    const waits = { baseMs: tuning.reconnectBaseMs, maxMs: tuning.reconnectMaxMs };
    const delayMs = tuning.reconnectBaseMs / 2 + backoffMs(this.#failures, waits, random);
    this.#failures += 1;
    this.#redial = setTimeout(() => this.start(), delayMs);
  }

  #received(link: BrokerLink, publish: IPublishPacket): void {
    const { metrics } = this.#options;
    const { topic, qos, messageId, dup } = publish;
    // A copy: the packet is a part of what was read from the socket, and may wait for long.
    const letter = {
      topic,
      payload: Buffer.from(publish.payload as Buffer),
      traceparent: traceparentOf(publish),
    };
    if (qos === 0 || messageId === undefined) {
      void this.#take(link, letter, publish);
      return;
    }
    const place = link.inOrder.begin();
    const known = dup ? this.#inHand.find(messageId, letter) : undefined;
    if (dup) metrics.redelivered(known !== undefined);
    const fate = known ?? this.#take(link, letter, publish);
    this.#inHand.take(messageId, letter, fate);
    void fate.then((outcome) => {
      // What was given up holds back what comes behind it, too.
      if (outcome === undefined) return;
      link.inOrder.ready(place, () => {
        if (!link.isOpen) return;
        this.#inHand.letGo(messageId);
        link.answers.add('puback', messageId);
      });
    });
  }

  #take(link: BrokerLink, letter: Letter, publish: IPublishPacket): Fate {
    const bytes = letter.topic.length + letter.payload.length;
    const fate = (async () => {
      await this.#enter(link, bytes);
      const outcome = await this.#fateOf(letter, publish);
      this.#options.window.leave(bytes);
      return outcome;
    })();
    this.#underWay.add(fate);
    void fate.finally(() => {
      this.#underWay.delete(fate);
      this.#whenQuiet();
    });
    return fate;
  }

  /** Never rejects: a message that meets a fault of ours would meet it each time, and hold up all others. */
  async #fateOf(letter: Letter, { qos, retain }: IPublishPacket): Fate {
    const { carry, metrics, log, onDropped } = this.#options;
    const outcome = retain
      ? 'retained'
      : await carry(letter).catch((error) => {
          log.error({ event: 'mqtt_bridge_failed', err: error }, 'a message could not be handled');
          return 'refused' as const;
        });
    if (outcome === undefined) return undefined;
    metrics.settled(qos, outcome);
    if (outcome !== 'accepted' && outcome !== 'duplicate') onDropped(letter, outcome);
    return outcome;
  }

  /** Waits for a place; the broker is not read meanwhile. */
  #enter(link: BrokerLink, bytes: number): Promise<void> | undefined {
    const { promise, resolve } = Promise.withResolvers<void>();
    const entered = this.#options.window.enter(bytes, () => {
      link.release();
      resolve();
    });
    if (entered) return undefined;
    link.hold();
    return promise;
  }
}

/** A user property may come several times: then it says nothing. */
function traceparentOf({ properties }: IPublishPacket): string | undefined {
  const value = properties?.userProperties?.[traceparentHeader];
  return typeof value === 'string' ? value : undefined;
}
