import { port, setting, text } from './setting.ts';

/** Who we are to the servers, and who they must be. The files are PEM, and read when the process starts. */
export const securitySettings = {
  natsCreds: setting({
    env: 'TRIBUTARY_NATS_CREDS',
    schema: text,
    default: undefined,
    about: 'File with a NATS user’s credentials (JWT and seed, `.creds`). Default: what NATS_URL says.',
  }),
  natsCa: setting({
    env: 'TRIBUTARY_NATS_CA',
    schema: text,
    default: undefined,
    about: 'File with the authorities that vouch for the NATS servers. Set: connections are encrypted.',
  }),
  natsCert: setting({
    env: 'TRIBUTARY_NATS_CERT',
    schema: text,
    default: undefined,
    about: 'File with our certificate for NATS servers that ask for one; with TRIBUTARY_NATS_KEY.',
  }),
  natsKey: setting({
    env: 'TRIBUTARY_NATS_KEY',
    schema: text,
    default: undefined,
    about: 'File with the key of TRIBUTARY_NATS_CERT.',
  }),
  mqttTlsPort: setting({
    env: 'TRIBUTARY_MQTT_TLS_PORT',
    schema: port,
    default: 0,
    about: 'Port on which the MQTT listener speaks TLS (8883 by custom); 0: none.',
  }),
  mqttTlsCert: setting({
    env: 'TRIBUTARY_MQTT_TLS_CERT',
    schema: text,
    default: undefined,
    about: 'File with the MQTT listener’s certificate and what it is chained to.',
  }),
  mqttTlsKey: setting({
    env: 'TRIBUTARY_MQTT_TLS_KEY',
    schema: text,
    default: undefined,
    about: 'File with the key of TRIBUTARY_MQTT_TLS_CERT.',
  }),
  mqttTlsClientCa: setting({
    env: 'TRIBUTARY_MQTT_TLS_CLIENT_CA',
    schema: text,
    default: undefined,
    about:
      'File with the authorities that vouch for devices. Set: a device without such a certificate is refused.',
  }),
};
