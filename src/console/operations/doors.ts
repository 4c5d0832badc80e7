import Type from 'typebox';
import type { DoorSettings } from '../context.ts';
import { defineOperation } from '../operation.ts';
import { ok } from '../reply.ts';
import { closed, nullable } from '../schemas.ts';

const mqttPorts = { plain: 1883, tls: 8883 } as const;

const doors = defineOperation({
  method: 'GET',
  path: '/doors',
  id: 'showDoors',
  tag: 'Installation',
  summary: 'Where devices send to',
  description:
    'What `TRIBUTARY_PUBLIC_HTTP_URL` and `TRIBUTARY_PUBLIC_MQTT_URL` say, else the host of this request and the doors’ ports.',
  access: 'read',
  answers: {
    200: {
      description: 'The doors',
      schema: closed({
        http: Type.String({ description: 'base URL of the gateway, without a slash at its end' }),
        mqtt: nullable(closed({ host: Type.String(), port: Type.Integer(), tls: Type.Boolean() })),
      }),
    },
  },
  handle: (_input, { services, request }) => {
    const { hostname } = new URL(request.url);
    return ok({ http: httpOf(services.doors, hostname), mqtt: mqttOf(services.doors, hostname) });
  },
});

function httpOf({ publicHttpUrl, httpPort }: DoorSettings, hostname: string): string {
  return publicHttpUrl === undefined ? `http://${hostname}:${httpPort}` : publicHttpUrl.replace(/\/+$/, '');
}

function mqttOf({ publicMqttUrl, mqttPort }: DoorSettings, hostname: string) {
  if (publicMqttUrl === undefined) return { host: hostname, port: mqttPort, tls: false };
  if (!URL.canParse(publicMqttUrl)) return null;
  const { protocol, hostname: host, port } = new URL(publicMqttUrl);
  const tls = protocol === 'mqtts:' || protocol === 'ssl:';
  return { host, port: port === '' ? (tls ? mqttPorts.tls : mqttPorts.plain) : Number(port), tls };
}

export const doorOperations = [doors];
