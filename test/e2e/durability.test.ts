import { expect, test } from 'bun:test';
import { findFreePort } from '../../src/roles/up/ports.ts';
import { type RoleProcess, startRole } from '../harness/role-process.ts';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

/** The monitoring address of a server that syncs before it acknowledges: Debian's 2.9 cannot. */
function serveVarz() {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    routes: { '/varz': Response.json({ jetstream: { config: { max_storage: 1, sync_always: true } } }) },
  });
  return { url: `http://127.0.0.1:${server.port}`, [Symbol.dispose]: () => void server.stop(true) };
}

const cases = [
  ['nobody says how the server syncs', 'process-crash-safe', 'unknown'],
  ['the monitoring address says that it syncs at once', 'power-loss-safe', 'always'],
] as const;

test.each(cases)('where %s, health, flow and status say %s', async (_, name, sync) => {
  using varz = serveVarz();
  const settings = sync === 'unknown' ? undefined : { TRIBUTARY_NATS_MONITOR_URL: varz.url };
  await using stack = await startStack({
    roles: { mqtt: 0, worker: 0 },
    env: { TRIBUTARY_CANARY_INTERVAL_MS: '100', ...settings },
  });
  const others = await startWithHealth(stack.env);
  await using _ended = { [Symbol.asyncDispose]: async () => void (await others.stop()) };
  const inWords = expect.stringMatching(
    new RegExp(`^${name} \\(sync ${sync}, 1 replica, nats-server \\d+\\.\\d+`),
  );
  for (const url of [stack.httpUrl, ...others.urls]) {
    const health = () => bodyOf(`${url}/healthz`);
    await until(async () => (await health()).durability !== null, { what: `${url} knows the class` });
    expect(await health()).toEqual({ status: 'ok', durability: inWords });
  }
  expect(await bodyOf(`${stack.httpUrl}/flow`)).toMatchObject({ durability: inWords });
  expect((await stack.cli('status')).stdout).toMatch(
    new RegExp(`^Durability +${name} \\(sync ${sync}, `, 'm'),
  );
  expect(await stack.cliJson('status')).toMatchObject({ durability: { class: name, sync, replicas: 1 } });
});

async function bodyOf(url: string): Promise<Record<string, unknown>> {
  return (await (await fetch(url)).json()) as Record<string, unknown>;
}

/** A worker and an MQTT listener, each with a port for its health. */
async function startWithHealth(env: Readonly<Record<string, string>>) {
  const urls: string[] = [];
  const roles: RoleProcess[] = [];
  for (const role of ['worker', 'mqtt'] as const) {
    const port = await findFreePort({ random: Math.random });
    roles.push(await startRole(role, { ...env, TRIBUTARY_HEALTH_PORT: String(port) }));
    urls.push(`http://127.0.0.1:${port}`);
  }
  return { urls, stop: () => Promise.all(roles.map((role) => role.stop())) };
}
