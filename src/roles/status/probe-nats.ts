import type { NatsConnection } from '@nats-io/transport-node';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { requestMany } from '../../stream/request-many.ts';
import {
  type ConsumerInfo,
  consumerInfo,
  orMissing,
  type StreamInfo,
  streamInfo,
} from '../../stream/stream-info.ts';
import {
  consumerName,
  rolesStatusSubject,
  routesConsumerName,
  routesStreamName,
  streamName,
} from '../../stream/subjects.ts';
import { plainQuestion, type RoleQuestion } from './role-question.ts';

const roleAnswerSchema = Type.Object({
  role: Type.String(),
  id: Type.String(),
  version: Type.String(),
  pid: Type.Integer(),
  host: Type.String(),
  uptimeMs: Type.Number(),
  // Roles of an older version do not tell these.
  rssBytes: Type.Optional(Type.Number()),
  cpuMs: Type.Optional(Type.Number()),
});

/** What a running role says of itself; roles add members of their own. */
export type RoleAnswer = Static<typeof roleAnswerSchema> & Readonly<Record<string, unknown>>;

export interface StreamSample {
  readonly name: string;
  /** Undefined: the server has no such stream. */
  readonly stream: StreamInfo | undefined;
  readonly consumer: ConsumerInfo | undefined;
}

export interface NatsSample {
  readonly server: string;
  readonly streams: readonly StreamSample[];
}

const watched = [
  { stream: streamName, consumer: consumerName },
  { stream: routesStreamName, consumer: routesConsumerName },
] as const;

export async function sampleStreams(connection: NatsConnection): Promise<NatsSample> {
  const streams = watched.map(async ({ stream, consumer }) => ({
    name: stream,
    stream: await orMissing(streamInfo(connection, stream)),
    consumer: await orMissing(consumerInfo(connection, stream, consumer)),
  }));
  return { server: connection.getServer(), streams: await Promise.all(streams) };
}

const waitMs = { timeoutMs: 1_000, stallMs: 250 };

/** Asks every running role; those that answer in time, by role and id. */
export async function askRoles(
  connection: NatsConnection,
  question: RoleQuestion = plainQuestion,
): Promise<RoleAnswer[]> {
  const asked = question === plainQuestion ? '' : JSON.stringify(question);
  const answers = await requestMany(connection, rolesStatusSubject, asked, waitMs);
  return answers
    .map(parseAnswer)
    .filter((answer) => answer !== undefined)
    .sort((a, b) => `${a.role} ${a.id}`.localeCompare(`${b.role} ${b.id}`));
}

function parseAnswer(data: Uint8Array): RoleAnswer | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data));
    return Check(roleAnswerSchema, value) ? (value as RoleAnswer) : undefined;
  } catch {
    return undefined;
  }
}
