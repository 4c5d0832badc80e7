import type {
  IConnackPacket,
  IConnectPacket,
  ISubackPacket,
  ISubscribePacket,
  IUnsubscribePacket,
} from 'mqtt-packet';
import type { BrokerOptions } from './bridge-contract.ts';

/** Why a broker does not serve the bridge, with the remedy where there is one. */
export class BrokerRefusal extends Error {
  override readonly name = 'BrokerRefusal';
}

export const subscribeId = 1;

/**
 * A session that outlives the connection, always: what the broker sent and got no PUBACK for waits in it. No largest packet is announced: the broker would drop what is
 * larger and count it as sent [MQTT-3.1.2-25].
 */
export function connectPacket(
  broker: BrokerOptions,
  clientId: string,
  keepAliveSeconds: number,
): IConnectPacket {
  const { username, password, sessionExpirySeconds: sessionExpiryInterval, receiveMaximum } = broker;
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    clientId,
    clean: false,
    keepalive: keepAliveSeconds,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: Buffer.from(password) }),
    ...(broker.version === '5'
      ? { protocolVersion: 5, properties: { sessionExpiryInterval, receiveMaximum } }
      : { protocolVersion: 4 }),
  };
}

/** Sent at every connect: it changes nothing where the session has the subscription already. */
export function subscribePacket(broker: BrokerOptions): ISubscribePacket {
  const topic = subscriptionOf(broker);
  return {
    cmd: 'subscribe',
    messageId: subscribeId,
    // rh 2: nothing that was retained before the subscription.
    subscriptions: [
      broker.version === '5' ? { topic, qos: 1, nl: false, rap: false, rh: 2 } : { topic, qos: 1 },
    ],
  };
}

export function unsubscribePacket(broker: BrokerOptions): IUnsubscribePacket {
  return { cmd: 'unsubscribe', messageId: subscribeId, unsubscriptions: [subscriptionOf(broker)] };
}

function subscriptionOf({ filter, group }: BrokerOptions): string {
  return group === undefined ? filter : `$share/${group}/${filter}`;
}

/** @throws BrokerRefusal when this broker cannot serve the bridge as it is set */
export function checkConnack(connack: IConnackPacket, broker: BrokerOptions): void {
  const code = connack.reasonCode ?? connack.returnCode ?? 0;
  if (code !== 0) throw new BrokerRefusal(explain(connack, code));
  const { properties } = connack;
  if (properties?.maximumQoS === 0)
    throw new BrokerRefusal('the broker allows QoS 0 only: nothing would be acknowledged');
  if (broker.group !== undefined && properties?.sharedSubscriptionAvailable === false) {
    const remedy = 'set TRIBUTARY_BRIDGE_SHARED=no and run one bridge';
    throw new BrokerRefusal(`the broker has no shared subscriptions: ${remedy}`);
  }
}

/** @throws BrokerRefusal when the subscription was not granted at QoS 1 */
export function checkSuback({ granted }: ISubackPacket, { filter }: BrokerOptions): void {
  const [code] = granted;
  if (code === 1) return;
  const why = code === 0 ? 'grants QoS 0 only' : `refuses it with ${code}: see its access rules`;
  throw new BrokerRefusal(`subscription to ${filter}: the broker ${why}`);
}

const login = 'see TRIBUTARY_BRIDGE_USERNAME and TRIBUTARY_BRIDGE_PASSWORD';

/** 1 to 5 are of MQTT 3.1.1, the others of MQTT 5. */
const reasons: Readonly<Record<number, string>> = {
  1: 'it does not speak this version of MQTT: set TRIBUTARY_BRIDGE_MQTT_VERSION',
  2: 'it does not allow the client id: set TRIBUTARY_BRIDGE_CLIENT_ID',
  3: 'it is unavailable',
  4: `wrong user name or password: ${login}`,
  5: `not authorized: ${login}`,
  132: 'it does not speak this version of MQTT: set TRIBUTARY_BRIDGE_MQTT_VERSION',
  133: 'it does not allow the client id: set TRIBUTARY_BRIDGE_CLIENT_ID',
  134: `wrong user name or password: ${login}`,
  135: `not authorized: ${login}`,
  136: 'it is unavailable',
  137: 'it is busy',
  138: 'this client is banned',
  151: 'a quota is used up',
};

function explain({ properties }: IConnackPacket, code: number): string {
  const said = properties?.reasonString === undefined ? '' : ` (${properties.reasonString})`;
  return `the broker refuses the connection: ${reasons[code] ?? `reason ${code}`}${said}`;
}
