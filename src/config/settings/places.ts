import Type from 'typebox';
import { port, setting, text } from './setting.ts';

/** Where things are. */
export const placeSettings = {
  natsUrl: setting({
    env: 'NATS_URL',
    schema: text,
    default: undefined,
    about: 'NATS servers, comma separated. Unset: the one that `tributary up` runs.',
    secret: true,
  }),
  natsMonitorUrl: setting({
    env: 'TRIBUTARY_NATS_MONITOR_URL',
    schema: text,
    default: undefined,
    about:
      'Monitoring address of NATS, http://host:8222: tells how the server syncs, for the durability class.',
  }),
  databaseUrl: setting({
    env: 'DATABASE_URL',
    schema: text,
    default: undefined,
    about: 'PostgreSQL 15 or newer. Unset: the one that `tributary up` runs.',
    secret: true,
  }),
  dataDir: setting({
    env: 'TRIBUTARY_DATA_DIR',
    schema: text,
    default: '.tributary',
    about: 'Folder of `tributary up`: its servers’ data, its lock, its logs.',
  }),
  bind: setting({
    env: 'TRIBUTARY_BIND',
    schema: text,
    default: '127.0.0.1',
    about: 'Address that the doors listen on. Loopback unless set; 0.0.0.0 opens them to the network.',
  }),
  httpPort: setting({
    env: 'TRIBUTARY_HTTP_PORT',
    schema: port,
    default: 8080,
    about: 'Port of the gateway.',
  }),
  mqttPort: setting({
    env: 'TRIBUTARY_MQTT_PORT',
    schema: port,
    default: 1883,
    about: 'Port of the MQTT listener.',
  }),
  consolePort: setting({
    env: 'TRIBUTARY_CONSOLE_PORT',
    schema: port,
    default: 8090,
    about: 'Port of the console.',
  }),
  healthPort: setting({
    env: 'TRIBUTARY_HEALTH_PORT',
    schema: port,
    default: 0,
    about:
      'Port on which a worker, listener or delivery answers /healthz, /readyz and /metrics; 0: none. `up` leaves it out.',
  }),
  logLevel: setting({
    env: 'TRIBUTARY_LOG_LEVEL',
    schema: Type.Union([
      Type.Literal('trace'),
      Type.Literal('debug'),
      Type.Literal('info'),
      Type.Literal('warn'),
      Type.Literal('error'),
    ]),
    default: 'info',
    about: 'Least severe log line that is written: trace, debug, info, warn or error.',
  }),
};
