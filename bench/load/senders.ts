import { type BenchMessage, deviceAt, drawMessages } from './fleet.ts';
import { openHttpConnection } from './http-connection.ts';
import { batchRequest, singleRequest } from './http-requests.ts';
import type { Door, LoadSpec } from './load-spec.ts';
import { openMqttConnection } from './mqtt-connection.ts';
import { type PublishPacket, publishPacket } from './mqtt-packets.ts';
import type { Sent } from './open-loop.ts';

/** Sends over a number of connections; beyond them callers wait in line. */
export interface LoadSender {
  /** Messages in one send. */
  readonly messagesPerSend: number;
  /** How many sends can be under way at once. */
  readonly width: number;
  /** Never throws. */
  send(): Promise<Sent>;
  close(): void;
}

/** Different messages that are sent in turn: enough that nothing is learned by heart, few enough to fit in memory. */
const drawnMessages = 20_000;

export function openSender(spec: LoadSpec, onFailure: (words: string) => void): Promise<LoadSender> {
  const { door } = spec;
  const messages = drawMessages(spec.fleet, drawnMessages);
  if (door.kind === 'mqtt') return openMqttSender(door, spec, messages, onFailure);
  if (door.kind === 'stream') throw new Error('a stream is published to by the stream publisher');
  return openHttpSender(door, messages, onFailure);
}

async function openHttpSender(
  door: Extract<Door, { kind: 'single' | 'batch' }>,
  messages: readonly BenchMessage[],
  onFailure: (words: string) => void,
): Promise<LoadSender> {
  const connections = await Promise.all(
    Array.from({ length: door.connections }, () => openHttpConnection(door.port)),
  );
  const waitSeconds = door.kind === 'single' ? door.waitSeconds : undefined;
  const requests =
    door.kind === 'single'
      ? messages.map((message) => singleRequest(message, waitSeconds))
      : inBatches(messages, door.batchSize);
  const wanted = waitSeconds === undefined ? 202 : 201;
  const messagesPerSend = door.kind === 'single' ? 1 : door.batchSize;
  const places = createLine(connections);
  let next = 0;
  const send = async (): Promise<Sent> => {
    const request = requests[next++ % requests.length] ?? Buffer.alloc(0);
    const connection = places.free() ?? (await places.wait());
    try {
      const { status, body } = await connection.send(request);
      places.give(connection);
      if (status === wanted) return { accepted: 1, failed: 0 };
      const accepted = status === 200 ? acceptedOf(body) : 0;
      if (accepted < messagesPerSend) onFailure(`${status} ${body.toString().slice(0, 200)}`);
      return { accepted, failed: messagesPerSend - accepted };
    } catch (error) {
      // It stays in the line and fails whoever gets it: nobody waits for ever.
      setTimeout(() => places.give(connection), 10);
      onFailure(error instanceof Error ? error.message : String(error));
      return { accepted: 0, failed: messagesPerSend };
    }
  };
  return { messagesPerSend, width: connections.length, send, close: () => closeAll(connections) };
}

function closeAll(connections: readonly { close(): void }[]): void {
  for (const connection of connections) connection.close();
}

const acceptedCount = /"accepted":(\d+)/;

function acceptedOf(body: Buffer): number {
  return Number(acceptedCount.exec(body.toString('latin1', 0, 64))?.[1] ?? 0);
}

function inBatches(messages: readonly BenchMessage[], size: number): Buffer[] {
  const count = Math.floor(messages.length / size);
  return Array.from({ length: count }, (_, n) => batchRequest(messages.slice(n * size, (n + 1) * size)));
}

/** First come, first served. */
function createLine<T>(places: readonly T[]) {
  const idle = [...places];
  const waiting: ((place: T) => void)[] = [];
  let served = 0;
  return {
    // In turn: the last one first would leave most connections silent until the server closes them.
    free: (): T | undefined => idle.shift(),
    wait: (): Promise<T> => new Promise((resolve) => waiting.push(resolve)),
    give(place: T): void {
      const first = waiting[served];
      if (first === undefined) {
        idle.push(place);
        return;
      }
      served += 1;
      // Cut off what is done with, now and then: shifting each time would move the whole line.
      if (served > 1_024) {
        waiting.splice(0, served);
        served = 0;
      }
      first(place);
    },
  };
}

/** One place for each publish that a connection may have open; PUBACKs come in the order of the publishes. */
async function openMqttSender(
  door: Extract<Door, { kind: 'mqtt' }>,
  spec: LoadSpec,
  messages: readonly BenchMessage[],
  onFailure: (words: string) => void,
): Promise<LoadSender> {
  const connections = await Promise.all(
    Array.from({ length: door.connections }, (_, index) =>
      openMqttLane(door.port, spec, index, messages, onFailure),
    ),
  );
  const places = createLine(
    connections.flatMap((connection) => Array.from({ length: door.window }, () => connection)),
  );
  return {
    messagesPerSend: 1,
    width: door.connections * door.window,
    async send() {
      const lane = places.free() ?? (await places.wait());
      const ok = await lane.publish();
      places.give(lane);
      return ok ? { accepted: 1, failed: 0 } : { accepted: 0, failed: 1 };
    },
    close: () => closeAll(connections),
  };
}

interface MqttLane {
  publish(): Promise<boolean>;
  close(): void;
}

/** A device that publishes its own messages; what one turn of the event loop publishes goes out in one write. */
async function openMqttLane(
  port: number,
  spec: LoadSpec,
  index: number,
  messages: readonly BenchMessage[],
  onFailure: (words: string) => void,
): Promise<MqttLane> {
  const device = deviceAt(spec.fleet, index);
  const packets = packetsOf(device, messages);
  const open: ((acknowledged: boolean) => void)[] = [];
  let outbox: PublishPacket[] = [];
  let closing = false;
  let next = 0;
  const settle = (count: number, acknowledged: boolean) => {
    for (const resolve of open.splice(0, count)) resolve(acknowledged);
  };
  const connection = await openMqttConnection(port, device, {
    onPubacks: (count) => settle(count, true),
    onClose: (why) => {
      if (!closing) onFailure(why);
      settle(open.length, false);
    },
  });
  const flush = () => {
    const packets = outbox;
    outbox = [];
    connection.publish(packets);
  };
  return {
    publish: () =>
      new Promise((resolve) => {
        const packet = packets[next++ % packets.length];
        if (packet === undefined) return resolve(false);
        open.push(resolve);
        if (outbox.push(packet) === 1) queueMicrotask(flush);
      }),
    close: () => {
      closing = true;
      connection.close();
    },
  };
}

/** A device with credentials publishes under its own name only: the drawn bodies, its own topic. */
function packetsOf(device: BenchMessage['device'], messages: readonly BenchMessage[]): PublishPacket[] {
  return messages
    .slice(0, 200)
    .map(({ body }) =>
      publishPacket({ device, body: body.replace(/"site_id":"[^"]*"/, `"site_id":"${device.siteId}"`) }),
    );
}
