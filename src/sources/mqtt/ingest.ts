import type { Intake, IntakeResult } from '../../intake/intake.ts';
import type { MqttMetrics, MqttRefusal } from '../../observe/mqtt.ts';
import { checkToken, type JudgeOptions } from './credentials.ts';
import { readPayload } from './payload.ts';
import type { PublishWindow } from './publish-window.ts';
import type { Session } from './session.ts';
import { type IngestTopic, isSameDevice, parseIngestTopic } from './topics.ts';

/** A PUBLISH as the parser read it. */
export interface Publish {
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly messageId: number | undefined;
  readonly payload: Uint8Array;
  /** Remaining length of the packet. */
  readonly length: number;
}

export interface IngestOptions extends Pick<JudgeOptions, 'registry' | 'clock'> {
  readonly intake: Intake;
  readonly window: PublishWindow;
  readonly metrics: MqttMetrics;
  readonly random: () => number;
  /** QoS 2 publishes of one client that await PUBREL at most. */
  readonly maxUnreleased: number;
  /** A client whose message could not be made durable is closed after this time at most. */
  readonly maxHoldMs: number;
}

/** From PUBLISH to intake, and from JetStream's PubAck to PUBACK. */
export class Ingest {
  readonly #options: IngestOptions;
  #underWay = 0;
  #idle: (() => void)[] = [];

  constructor(options: IngestOptions) {
    this.#options = options;
  }

  /**
   * Makes one publish durable; `acknowledge` is called when PUBACK or PUBREC may go out, and never otherwise:
   * then the connection is closed instead.
   */
  publish(session: Session, packet: Publish, acknowledge: () => void): void {
    const { guard } = session;
    // A read may hold more packets than the one for which the connection was just closed.
    if (guard.destroyed) return;
    if (isResent(session, packet)) {
      guard.begun(packet.length);
      this.#inTurn(session, Promise.resolve(), () => {
        guard.settled(packet.length);
        // Unless the first one failed in the meantime.
        if (isResent(session, packet)) acknowledge();
      });
      return;
    }
    const topic = this.#admit(session, packet);
    if (typeof topic === 'string') {
      this.#options.metrics.published(packet.qos, 'refused');
      guard.refuse(topic);
      return;
    }
    const outcome = this.#accept(session, topic, packet.payload);
    guard.begun(packet.length);
    this.#inTurn(session, outcome, (result) => {
      guard.settled(packet.length);
      this.#settle(session, packet, result, acknowledge);
    });
  }

  /** Publishes a will like any other message, as far as it is permitted; there is nobody to answer. */
  async publishWill(session: Session): Promise<void> {
    const { will } = session;
    if (will === undefined || session.identity === undefined) return;
    const { metrics, window } = this.#options;
    const topic = this.#permit(session, will.topic);
    if (typeof topic === 'string') {
      metrics.published('will', 'refused');
      return;
    }
    const bytes = will.payload.length;
    this.#begin();
    await new Promise<void>((resolve) => {
      if (window.enter(bytes, resolve)) resolve();
    });
    const result = await this.#accept(session, topic, will.payload);
    window.leave(bytes);
    metrics.published('will', outcomeOf(result));
    this.#end();
  }

  /** Resolves once nothing is under way. */
  idle(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Whether the client may will or publish to this topic; the reason if not. */
  permitTopic(session: Session, topicText: string): IngestTopic | MqttRefusal {
    const topic = parseIngestTopic(topicText);
    if (topic === undefined) return 'bad_topic';
    const { identity } = session;
    if (identity?.kind === 'device' && !isSameDevice(identity.device, topic)) return 'foreign_topic';
    return topic;
  }

  #admit(session: Session, packet: Publish): IngestTopic | MqttRefusal {
    if (!isWellFormed(packet)) return 'malformed';
    const topic = this.#permit(session, packet.topic);
    if (typeof topic === 'string' || packet.qos !== 2 || packet.messageId === undefined) return topic;
    if (session.unreleased.size >= this.#options.maxUnreleased) return 'too_many_unreleased';
    session.unreleased.add(packet.messageId);
    return topic;
  }

  /** `permitTopic`, and the token is still good: it may have been rotated or revoked since CONNECT. */
  #permit(session: Session, topicText: string): IngestTopic | MqttRefusal {
    const topic = this.permitTopic(session, topicText);
    const { identity } = session;
    if (typeof topic === 'string' || identity?.kind !== 'device' || !this.#options.registry.fresh)
      return topic;
    return checkToken(identity.device, identity.tokenSha256, this.#options) ?? topic;
  }

  #accept(session: Session, topic: IngestTopic, bytes: Uint8Array): Promise<IntakeResult> {
    const { identity } = session;
    const isDevice = identity?.kind === 'device';
    const { payloadBase64, ...payload } = readPayload(bytes, isDevice ? identity.token : undefined);
    return this.#options.intake.accept({
      source: 'mqtt',
      tenantId: topic.tenantId,
      deviceId: topic.deviceId,
      msgType: topic.msgType,
      username: isDevice ? identity.username : '',
      idempotencyKey: undefined,
      ...payload,
      ...(payloadBase64 === undefined ? {} : { payloadBase64 }),
    });
  }

  #inTurn<T>(session: Session, outcome: Promise<T>, settle: (value: T) => void): void {
    this.#begin();
    const previous = session.tail;
    session.tail = (async () => {
      const value = await outcome;
      await previous;
      settle(value);
      this.#end();
    })();
  }

  #settle(session: Session, packet: Publish, result: IntakeResult, acknowledge: () => void): void {
    this.#options.metrics.published(packet.qos, outcomeOf(result));
    if (result.ok) {
      acknowledge();
      return;
    }
    const reason = reasonOf(result);
    if (packet.messageId !== undefined) session.unreleased.delete(packet.messageId);
    if (packet.qos === 0 && reason === 'unavailable') {
      acknowledge();
      return;
    }
    if (result.retryAfterSeconds === undefined) session.guard.refuse(reason);
    else this.#closeLater(session, reason, result.retryAfterSeconds * 1_000);
  }

  /** Holds the connection for a while, unread, so that all devices do not come back at the same moment. */
  #closeLater(session: Session, reason: MqttRefusal, retryAfterMs: number): void {
    session.guard.hold();
    const holdMs = Math.min(retryAfterMs, this.#options.maxHoldMs) * (0.5 + this.#options.random() / 2);
    const timer = setTimeout(() => session.guard.refuse(reason), holdMs);
    session.guard.once('close', () => clearTimeout(timer));
  }

  #begin(): void {
    this.#underWay++;
  }

  #end(): void {
    this.#underWay--;
    if (this.#underWay > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

/** The parser lets a topic or id run over the packet's end into the next one, and takes id 0. */
function isWellFormed(packet: Publish): boolean {
  if (packet.qos === 0) return true;
  if (packet.messageId === undefined || packet.messageId < 1) return false;
  return packet.length >= 4 + Buffer.byteLength(packet.topic);
}

/** A QoS 2 publish that comes again before its PUBREL was ingested the first time, or is on its way. */
function isResent(session: Session, packet: Publish): boolean {
  return packet.qos === 2 && packet.messageId !== undefined && session.unreleased.has(packet.messageId);
}

function outcomeOf(result: IntakeResult): 'accepted' | 'duplicate' | 'failed' | 'refused' {
  if (result.ok) return result.duplicate ? 'duplicate' : 'accepted';
  return result.refusal === 'unavailable' ? 'failed' : 'refused';
}

function reasonOf(result: IntakeResult & { ok: false }): MqttRefusal {
  switch (result.refusal) {
    case 'unavailable':
    case 'unknown_tenant_limit':
    case 'device_revoked':
    case 'too_large':
      return result.refusal;
    case 'token_refused':
      return 'bad_credentials';
    default:
      return 'refused';
  }
}
