import Type from 'typebox';
import { burst, rate, setting, text } from './setting.ts';

/** The API and the console's pages. */
export const consoleSettings = {
  apiRate: setting({
    env: 'TRIBUTARY_API_RATE',
    schema: rate,
    default: 100,
    about: 'Requests per second of one key to the API, per console process; more are answered 429.',
  }),
  apiBurst: setting({
    env: 'TRIBUTARY_API_BURST',
    schema: burst,
    default: 400,
    about: 'Burst of one key to the API.',
  }),
  trustProxy: setting({
    env: 'TRIBUTARY_TRUST_PROXY',
    schema: Type.Boolean(),
    default: false,
    about:
      'The console is reached through a proxy alone, which sets X-Forwarded-For and X-Forwarded-Proto: believe them.',
  }),
  publicHttpUrl: setting({
    env: 'TRIBUTARY_PUBLIC_HTTP_URL',
    schema: text,
    default: undefined,
    about:
      'Where devices reach the gateway, as the console shows it. Unset: the console’s own host, the gateway’s port.',
  }),
  publicMqttUrl: setting({
    env: 'TRIBUTARY_PUBLIC_MQTT_URL',
    schema: text,
    default: undefined,
    about:
      'Where devices reach the listener, mqtt://host:1883 or mqtts://…. Unset: the console’s own host, the listener’s port.',
  }),
};
