import { connectAsync, type MqttClient } from 'mqtt';
import { withDeadline } from '../../lib/deadline.ts';
import { ingestTopic } from '../../model/identifiers.ts';
import { bodyOf, type ProveMessage } from './message.ts';
import { answerTimeoutMs, type Sender, type SendOutcome } from './sender.ts';

const anonymousLanes = 4;

/** Whom a connection belongs to: a device, by its credentials, or anybody. */
interface Lane {
  readonly id: string;
  readonly url: string;
  readonly credentials?: { readonly username: string; readonly password: string };
}

/**
 * QoS 1 over a few connections, some anonymous with the token in the payload, some by a device's credentials. A
 * connection that broke, or on which a PUBACK did not come in time, is given up and made anew by the next message.
 *
 * @param asDevices false: all anonymous, as at a broker that knows no device
 */
export function createMqttSender(urls: readonly string[], asDevices = true): Sender {
  const clients = new Map<string, Promise<MqttClient>>();
  const clientOf = (lane: Lane): Promise<MqttClient> => {
    const open = clients.get(lane.id);
    if (open !== undefined) return open;
    const opening = connect(lane);
    clients.set(lane.id, opening);
    const forget = () => {
      if (clients.get(lane.id) === opening) clients.delete(lane.id);
    };
    opening.then((client) => client.on('close', forget), forget);
    return opening;
  };
  const sendOne = async (message: ProveMessage): Promise<SendOutcome> => {
    const lane = laneOf(message, urls, asDevices);
    let client: MqttClient;
    try {
      client = await clientOf(lane);
    } catch (error) {
      return { answer: 'no', why: `MQTT CONNECT: ${String(error)}` };
    }
    return publish(client, message, lane.credentials !== undefined);
  };
  return {
    send: (messages) => Promise.all(messages.map(sendOne)),
    close: async () => {
      const opened = await Promise.allSettled(clients.values());
      for (const each of opened) if (each.status === 'fulfilled') each.value.end(true);
    },
  };
}

function laneOf(message: ProveMessage, urls: readonly string[], asDevices: boolean): Lane {
  const { device, n } = message;
  const listener = n % urls.length;
  const url = urls[listener] ?? '';
  // One device of each tenant connects as itself.
  if (asDevices && message.destiny === 'stored' && device.deviceId.endsWith('-0')) {
    const username = `${device.tenantId}/${device.deviceId}`;
    return { id: `${listener} ${username}`, url, credentials: { username, password: device.token } };
  }
  return { id: `${listener} anonymous ${n % anonymousLanes}`, url };
}

async function connect({ url, credentials }: Lane): Promise<MqttClient> {
  const connecting = connectAsync(url, {
    ...credentials,
    protocolVersion: 4,
    clean: true,
    keepalive: 5,
    connectTimeout: answerTimeoutMs,
    // No hidden queue and no hidden retries: what was not acknowledged is counted as such.
    reconnectPeriod: 0,
    queueQoSZero: false,
  });
  const client = await withDeadline(connecting, answerTimeoutMs, () => {
    void connecting.then(
      (late) => late.end(true),
      () => undefined,
    );
    throw new Error('no CONNACK in time');
  });
  client.on('error', () => {});
  // Each publish that waits for its PUBACK listens for the end of the connection.
  client.setMaxListeners(0);
  return client;
}

/** Resolves with the PUBACK, or without one when the connection ends or time is up. */
function publish(client: MqttClient, message: ProveMessage, asDevice: boolean): Promise<SendOutcome> {
  const { promise, resolve } = Promise.withResolvers<SendOutcome>();
  const unknown = (why: string) => resolve({ answer: 'unknown', why });
  const closed = () => unknown('MQTT connection closed before PUBACK');
  const timer = setTimeout(() => {
    unknown('no PUBACK in time');
    client.end(true);
  }, answerTimeoutMs);
  client.once('close', closed);
  client.publish(topicOf(message), JSON.stringify(payloadOf(message, asDevice)), { qos: 1 }, (error) => {
    if (error === undefined || error === null) resolve({ answer: 'yes' });
    else unknown(`MQTT: ${error.message}`);
  });
  return promise.finally(() => {
    clearTimeout(timer);
    client.off('close', closed);
  });
}

function topicOf({ device, msgType }: ProveMessage): string {
  return ingestTopic(device.tenantId, device.deviceId, msgType);
}

function payloadOf(message: ProveMessage, asDevice: boolean): Record<string, unknown> {
  return {
    ...bodyOf(message),
    ...(message.key === undefined ? {} : { msg_id: message.key }),
    ...(asDevice ? {} : { provision_token: message.token }),
  };
}
