import type { World } from '../world.ts';
import type { Example, Examples } from './example.ts';

export const webhook = {
  kind: 'webhook',
  url: 'https://example.org/hook',
  batch: { max_messages: 2, max_wait_ms: 5 },
};

let made = 0;

/** A signed webhook of tenant `own`, made through the API. @returns its name */
export async function aRoute({ call }: World, more: object = {}): Promise<string> {
  made += 1;
  const name = `route-${made}`;
  const body = { name, destination: webhook, ...more };
  const answer = await call('POST', '/tenants/own/routes', { key: 'write', body });
  if (answer.status !== 201) throw new Error(answer.text);
  return name;
}

const of =
  (example: Partial<Example> = {}) =>
  async (world: World): Promise<Example> => ({
    params: { name: await aRoute(world) },
    status: 200,
    ...example,
  });

export const routeExamples: Examples = {
  listRoutes: async (world) => {
    await aRoute(world);
    return { query: { limit: '1' }, status: 200 };
  },
  createRoute: {
    body: {
      name: 'hot',
      topic_filter: 'tenant/own/device/+/telemetry',
      condition: 'metrics.temp > 30.0',
      fires_on: ['message', 'status'],
      destination: { kind: 'webhook', url: 'http://127.0.0.1:1/hook', headers: { 'x-site': 'a' } },
      secrets: { headers: { authorization: 'Bearer of-theirs' } },
      rate_per_second: 5,
      burst: null,
      enabled: false,
    },
    status: 201,
  },
  getRoute: of(),
  changeRoute: of({
    body: { condition: null, destination: { kind: 'nats', subject: 'out.own.{device_id}' } },
  }),
  deleteRoute: of({ status: 204 }),
  enableRoute: of(),
  disableRoute: of(),
  rotateRouteSecret: of({ query: { finish: 'true' } }),
  testRoute: of({ body: { limit: 10, condition: 'msg_type == "telemetry"' } }),
};
