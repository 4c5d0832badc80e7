import type { Intake, IntakeResult } from '../../intake/intake.ts';
import type { MqttMetrics, MqttRefusal } from '../../observe/mqtt.ts';
import type { Tracer } from '../../observe/tracer.ts';
import { checkToken, type JudgeOptions } from './credentials.ts';
import { readPayload } from './payload.ts';
import type { Publish } from './publish-packet.ts';
import type { PublishWindow } from './publish-window.ts';
import type { Session } from './session.ts';
import { type IngestTopic, isSameDevice, isTopicName, parseIngestTopic } from './topics.ts';

export interface IngestOptions extends Pick<JudgeOptions, 'registry' | 'clock'> {
  readonly intake: Intake;
  readonly window: PublishWindow;
  readonly metrics: MqttMetrics;
  readonly random: () => number;
  /** QoS 2 publishes of one client that await PUBREL at most. */
  readonly maxUnreleased: number;
  /** A client whose message could not be made durable is closed after this time at most. */
  readonly maxHoldMs: number;
  /** Absent: nothing is traced. MQTT 3.1.1 brings no context, so only a share is. */
  readonly tracing?: Pick<Tracer, 'begin'> | undefined;
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
   * Makes one publish durable. PUBACK or PUBREC goes out when it is, and never otherwise: then the connection is
   * closed instead.
   */
  publish(session: Session, packet: Publish): void {
    const { guard } = session;
    if (isResent(session, packet)) {
      guard.begun();
      this.#begin();
      session.inOrder.ready(session.inOrder.begin(), () => {
        // Unless the first one failed in the meantime.
        if (isResent(session, packet)) guard.acknowledge(packet);
        this.#finish(session, packet);
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
    guard.begun();
    this.#begin();
    const place = session.inOrder.begin();
    outcome.then((result) =>
      session.inOrder.ready(place, () => {
        this.#settle(session, packet, result);
        this.#finish(session, packet);
      }),
    );
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
    const topic = this.#parseTopic(session, topicText);
    if (topic === undefined) return isTopicName(topicText) ? 'bad_topic' : 'malformed';
    const { identity } = session;
    if (identity?.kind === 'device' && !isSameDevice(identity.device, topic)) return 'foreign_topic';
    return topic;
  }

  /** Most devices publish to one topic over and over. */
  #parseTopic(session: Session, text: string): IngestTopic | undefined {
    if (session.lastTopic?.text === text) return session.lastTopic.topic;
    const topic = parseIngestTopic(text);
    if (topic !== undefined) session.lastTopic = { text, topic };
    return topic;
  }

  #admit(session: Session, packet: Publish): IngestTopic | MqttRefusal {
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
    const trace = this.#options.tracing?.begin(undefined);
    const { identity } = session;
    const isDevice = identity?.kind === 'device';
    const { payloadText, payload, payloadBase64, token } = readPayload(
      bytes,
      isDevice ? identity.token : undefined,
    );
    const message = {
      source: 'mqtt',
      tenantId: topic.tenantId,
      deviceId: topic.deviceId,
      msgType: topic.msgType,
      username: isDevice ? identity.username : '',
      idempotencyKey: undefined,
      token,
      payloadText,
      payload,
      trace,
    } as const;
    return this.#options.intake.accept(payloadBase64 === undefined ? message : { ...message, payloadBase64 });
  }

  #settle(session: Session, packet: Publish, result: IntakeResult): void {
    this.#options.metrics.published(packet.qos, outcomeOf(result));
    if (result.ok) {
      session.guard.acknowledge(packet);
      return;
    }
    const reason = reasonOf(result);
    if (packet.messageId !== undefined) session.unreleased.delete(packet.messageId);
    if (packet.qos === 0 && reason === 'unavailable') return;
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

  /** Last, since what waits in line may begin at once. */
  #finish(session: Session, { length }: Publish): void {
    session.guard.settled(length);
    this.#end();
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
