import { connectAsync, type MqttClient } from 'mqtt';
import { ingestTopic } from '../../model/identifiers.ts';
import type { ScriptedMessage } from './script.ts';
import type { Sender, SenderOptions } from './senders.ts';
import type { SendOutcome } from './tally.ts';

/**
 * One connection a device, as in the field: user name `tenant/device`, the token as password, QoS 1. Accepted is
 * what got its PUBACK. A connection that broke is made anew with the device's next message.
 */
export function createMqttSender(mqttUrl: string, options: SenderOptions): Sender {
  const clients = new Map<string, Promise<MqttClient>>();
  const clientOf = (message: ScriptedMessage): Promise<MqttClient> => {
    const { deviceId, token } = message.device;
    const open = clients.get(deviceId);
    if (open !== undefined) return open;
    const opening = connect(mqttUrl, `${options.tenantId}/${deviceId}`, token, options.timeoutMs);
    clients.set(deviceId, opening);
    const forget = () => {
      if (clients.get(deviceId) === opening) clients.delete(deviceId);
    };
    opening.then((client) => client.on('close', forget), forget);
    return opening;
  };
  const send = async (message: ScriptedMessage): Promise<SendOutcome> => {
    let client: MqttClient;
    try {
      client = await clientOf(message);
    } catch (error) {
      return { result: 'refused', why: `MQTT CONNECT: ${wordsOf(error)}` };
    }
    const topic = ingestTopic(options.tenantId, message.device.deviceId, message.msgType);
    return publish(client, topic, message.body, options.timeoutMs);
  };
  return {
    send: (messages) => Promise.all(messages.map(send)),
    close: async () => {
      const opened = await Promise.allSettled(clients.values());
      await Promise.allSettled(
        opened.map((each) => (each.status === 'fulfilled' ? end(each.value) : undefined)),
      );
    },
  };
}

async function connect(url: string, username: string, token: string, timeoutMs: number): Promise<MqttClient> {
  const client = await connectAsync(url, {
    clientId: username,
    username,
    password: token,
    protocolVersion: 4,
    connectTimeout: timeoutMs,
    // No hidden queue and no hidden retries: what was not acknowledged is counted as such.
    reconnectPeriod: 0,
    queueQoSZero: false,
  });
  client.on('error', () => {});
  return client;
}

/** Resolves with the PUBACK, or without one when the connection ends or time is up. */
function publish(client: MqttClient, topic: string, body: string, timeoutMs: number): Promise<SendOutcome> {
  const { promise, resolve } = Promise.withResolvers<SendOutcome>();
  const unknown = (why: string) => resolve({ result: 'unknown', why });
  const closed = () => unknown('MQTT connection closed before PUBACK');
  const timer = setTimeout(() => unknown('no PUBACK in time'), timeoutMs);
  client.once('close', closed);
  client.publish(topic, body, { qos: 1 }, (error) => {
    if (error === undefined || error === null) resolve({ result: 'accepted' });
    else unknown(`MQTT: ${error.message}`);
  });
  return promise.finally(() => {
    clearTimeout(timer);
    client.off('close', closed);
  });
}

async function end(client: MqttClient): Promise<void> {
  await client.endAsync(true);
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
