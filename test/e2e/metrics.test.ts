import { expect, test } from 'bun:test';
import { type CataloguedRole, cataloguedRoles, catalogueOf } from '../../scripts/metrics-catalogue.ts';
import { roleNames } from '../../src/cli/role-names.ts';
import { findFreePort } from '../../src/roles/up/ports.ts';
import { promtool, runPromtool } from '../deploy/promtool.ts';
import { startRole } from '../harness/role-process.ts';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const units =
  /_(?:seconds|bytes|messages|jobs|spans|connections|breakers|total|info|up|in_flight|under_way)$/;
/** Names whose unit stands elsewhere, or that count what their name says. */
const otherNames =
  /^tributary_(?:audit_unaccounted|audit_unacknowledged|stream_drained_messages_per_second)$/;
const labels = new Set([
  ...[
    'class',
    'how',
    'in_hand',
    'le',
    'operation',
    'outcome',
    'qos',
    'quantile',
    'reason',
    'result',
    'role',
    'route',
    'source',
  ],
  ...['status', 'stream', 'version', 'work'],
  // Of the process's own metrics.
  ...['kind', 'major', 'minor', 'patch', 'space', 'type'],
]);

test('what every role exports is well formed, by convention, complete, and names no device', async () => {
  await using stack = await startStack({ roles: { mqtt: 0, worker: 0, delivery: 0 } });
  await using cleanup = new AsyncDisposableStack();
  const urls: Partial<Record<CataloguedRole, string>> = { gateway: stack.httpUrl };
  for (const role of roleNames.filter((name) => name !== 'gateway')) {
    const port = await findFreePort({ random: Math.random });
    // The console tells them on the port that it has anyway.
    const ports = { TRIBUTARY_HEALTH_PORT: String(port), TRIBUTARY_CONSOLE_PORT: String(port) };
    const running = await startRole(role, { ...stack.env, ...ports, ...nowhere });
    cleanup.defer(async () => void (await running.stop()));
    urls[role] = `http://127.0.0.1:${port}`;
  }
  const { token } = await addDevice(stack);
  expect(await send(stack.httpUrl, token, { temp: 1 })).toBe(202);
  expect(await send(stack.httpUrl, 'wrong', { temp: 2 })).toBe(202);
  const scrape = async (role: CataloguedRole) => (await fetch(`${urls[role]}/metrics`)).text();
  await until(
    async () =>
      /^tributary_worker_quarantined_total\{reason="TOKEN_INVALID"\} 1$/m.test(await scrape('worker')),
    { what: 'the second message is quarantined' },
  );
  await until(
    async () => /^tributary_stream_messages\{stream="TELEMETRY"\} 0$/m.test(await scrape('gateway')),
    {
      what: 'the gateway sees the empty stream',
    },
  );
  for (const role of cataloguedRoles) {
    // Each asks its servers anew, and a machine that is busy with other tests may be slow to answer.
    const text = await until(async () => upScrape(await scrape(role)), {
      what: `${role} reaches both servers`,
    });
    const names = [...text.matchAll(/^# TYPE (\S+) (\w+)$/gm)].map(([, name = '', type = '']) => ({
      name,
      type,
    }));
    const catalogued = catalogueOf(role).map(({ name, type }) => ({ name, type }));
    expect([role, names.toSorted(byName)]).toEqual([role, catalogued.toSorted(byName)]);
    for (const { name } of names.filter((each) => each.name.startsWith('tributary_')))
      expect(name).toMatch(otherNames.test(name) ? otherNames : units);
    const used = [...text.matchAll(/[{,]([a-z_]+)="/g)].map(([, label = '']) => label);
    expect([...new Set(used)].filter((label) => !labels.has(label))).toEqual([]);
    expect(text.split('\n').filter((line) => /tenant-x1|device-x1/.test(line))).toEqual([]);
    expect(text).toContain(`tributary_build_info{role="${role}",version="`);
    expect(text).toContain('tributary_durability_info{class="process-crash-safe"} 1');
    if (promtool !== undefined)
      expect(await runPromtool(['check', 'metrics'], { input: text })).toEqual(clean);
  }
  expect(await scrape('gateway')).toContain(
    'tributary_intake_messages_total{source="http",outcome="accepted"} 2',
  );
});

/** The bridge exports its metrics whether its broker is there or not. */
const nowhere = { TRIBUTARY_BRIDGE_URL: 'mqtt://127.0.0.1:1' };

function upScrape(text: string): string | undefined {
  const isUp = text.includes('\ntributary_nats_up 1\n') && text.includes('\ntributary_database_up 1\n');
  return isUp ? text : undefined;
}

const clean = { code: 0, said: '' };

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

type Stack = Awaited<ReturnType<typeof startStack>>;

async function addDevice(stack: Stack): Promise<{ readonly token: string }> {
  await stack.cliJson('tenant', 'add', 'tenant-x1');
  const added = await stack.cliJson('device', 'add', 'tenant-x1', 'device-x1', '--site', 'site-1');
  return added as { token: string };
}

async function send(httpUrl: string, token: string, metrics: unknown): Promise<number> {
  const { status } = await fetch(`${httpUrl}/ingest/v1/tenant/tenant-x1/device/device-x1/telemetry`, {
    method: 'POST',
    headers: { 'X-Provision-Token': token },
    body: JSON.stringify({ site_id: 'site-1', metrics }),
  });
  return status;
}
