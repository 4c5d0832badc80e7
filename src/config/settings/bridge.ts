import Type from 'typebox';
import { integer, setting, text } from './setting.ts';

/** The bridge to a broker that devices publish to already. */
export const bridgeSettings = {
  bridgeUrl: setting({
    env: 'TRIBUTARY_BRIDGE_URL',
    schema: text,
    default: undefined,
    about: 'Broker that the bridge reads from: mqtt://host:1883 or mqtts://host:8883. Unset: no bridge.',
  }),
  bridgeUsername: setting({
    env: 'TRIBUTARY_BRIDGE_USERNAME',
    schema: text,
    default: undefined,
    about: 'User name of the bridge at its broker.',
  }),
  bridgePassword: setting({
    env: 'TRIBUTARY_BRIDGE_PASSWORD',
    schema: text,
    default: undefined,
    about: 'Password of the bridge at its broker.',
    secret: true,
  }),
  bridgeTlsCa: setting({
    env: 'TRIBUTARY_BRIDGE_TLS_CA',
    schema: text,
    default: undefined,
    about:
      'PEM file of the authorities that may have signed the broker’s certificate. Unset: the usual ones.',
  }),
  bridgeTlsCert: setting({
    env: 'TRIBUTARY_BRIDGE_TLS_CERT',
    schema: text,
    default: undefined,
    about: 'PEM file of the bridge’s own certificate, for brokers that ask for one.',
  }),
  bridgeTlsKey: setting({
    env: 'TRIBUTARY_BRIDGE_TLS_KEY',
    schema: text,
    default: undefined,
    about: 'PEM file of the key to that certificate.',
  }),
  bridgeClientId: setting({
    env: 'TRIBUTARY_BRIDGE_CLIENT_ID',
    schema: Type.String({ pattern: '^[A-Za-z0-9._-]{1,100}$' }),
    default: undefined,
    about:
      'The bridge’s client ids begin so. Another one for each bridge process, and the same after its restart. Unset: tributary-bridge-HOSTNAME.',
  }),
  bridgeFilter: setting({
    env: 'TRIBUTARY_BRIDGE_FILTER',
    schema: text,
    default: 'tenant/+/device/+/+',
    about: 'Topics that the bridge subscribes to.',
  }),
  bridgeGroup: setting({
    env: 'TRIBUTARY_BRIDGE_GROUP',
    schema: Type.String({ pattern: '^[^/+#]{1,100}$' }),
    default: 'tributary',
    about: 'Name of the shared subscription, the same for all bridges that share the messages.',
  }),
  bridgeShared: setting({
    env: 'TRIBUTARY_BRIDGE_SHARED',
    schema: Type.Boolean(),
    default: true,
    about:
      'Subscribe as a member of the group. No: for brokers without shared subscriptions; one bridge, one connection.',
  }),
  bridgeConnections: setting({
    env: 'TRIBUTARY_BRIDGE_CONNECTIONS',
    schema: integer(1, 64),
    default: 4,
    about: 'Connections of one bridge, each with a client id and a session of its own at the broker.',
  }),
  bridgeRetire: setting({
    env: 'TRIBUTARY_BRIDGE_RETIRE',
    schema: Type.Boolean(),
    default: false,
    about: 'Take the client ids out of the group: subscribe no more, take what waits for them, and end.',
  }),
  bridgeMqttVersion: setting({
    env: 'TRIBUTARY_BRIDGE_MQTT_VERSION',
    schema: Type.Union([Type.Literal('5'), Type.Literal('3.1.1')]),
    default: '5',
    about: 'Version of MQTT that the broker speaks: 5 or 3.1.1.',
  }),
  bridgeInFlight: setting({
    env: 'TRIBUTARY_BRIDGE_IN_FLIGHT',
    schema: integer(1, 65_535),
    default: 500,
    about: 'Messages that the broker may send on one connection before the first of them is acknowledged.',
  }),
  bridgeSessionExpirySeconds: setting({
    env: 'TRIBUTARY_BRIDGE_SESSION_EXPIRY_SECONDS',
    schema: integer(60, 0xffff_ffff),
    default: 7 * 86_400,
    about:
      'How long the broker is to keep the session, and what waits in it, of a bridge that is away, in seconds.',
  }),
};
