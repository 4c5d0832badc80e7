import { afterAll, beforeAll, expect, test } from 'bun:test';
import { resolve } from 'node:path';
import { insertDevices } from '../harness/fleet.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const device = { tenantId: 'acme', deviceId: 'd1', siteId: 's1', token: 'token-of-d1' };
const main = resolve(import.meta.dir, '../../src/cli/main.ts');

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ roles: { mqtt: 0 } });
  await insertDevices(stack.pool, [device], { ratePerSecond: 100_000, burst: 1_000_000 });
}, 60_000);
afterAll(() => stack[Symbol.asyncDispose]());

/** Sends until it is stopped. */
function keepSending(): AsyncDisposable {
  let running = true;
  const sending = (async () => {
    while (running) {
      await fetch(`${stack.httpUrl}/ingest/v1/tenant/acme/device/d1/telemetry`, {
        method: 'POST',
        headers: { 'X-Provision-Token': device.token },
        body: JSON.stringify({ site_id: 's1', metrics: { n: 1 } }),
      });
      await Bun.sleep(5);
    }
  })();
  return {
    [Symbol.asyncDispose]: () => {
      running = false;
      return sending;
    },
  };
}

/** `tributary top` in a terminal of its own. */
function inTerminal(...args: string[]) {
  let text = '';
  const child = Bun.spawn([process.execPath, main, 'top', ...args], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '/root',
      TERM: 'xterm-256color',
      ...stack.env,
    },
    terminal: {
      cols: 80,
      rows: 24,
      data: (_terminal, data) => {
        text += new TextDecoder().decode(data);
      },
    },
  });
  return {
    child,
    text: () => text,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await child.exited;
    },
    shows: (what: RegExp) =>
      until(() => what.test(text), { what: `the screen shows ${what}`, timeoutMs: 20_000 }),
  };
}

const leave = '\u001b[?25h\u001b[?1049l';

test('it draws again and again, at the size that the terminal has, until q, and gives the terminal back', async () => {
  await using _sending = keepSending();
  await using top = inTerminal('--interval', '500ms');
  await top.shows(/http +[1-9]/);
  await top.shows(/stored +[1-9]/);
  await top.shows(/p50/);
  expect(top.text()).toMatch(/gateway .* MiB/);
  const before = top.text().length;
  top.child.terminal?.resize(40, 12);
  // So narrow that the headline is cut.
  await until(() => /Tributary.*…/.test(top.text().slice(before)), { what: 'it is drawn in the new size' });
  top.child.terminal?.write('q');
  expect(await top.child.exited).toBe(0);
  expect(top.text().startsWith('\u001b[?1049h')).toBe(true);
  expect(top.text().trimEnd().endsWith(leave)).toBe(true);
});

test('while NATS is away it says so and goes on; a signal ends it in order', async () => {
  await using top = inTerminal('--interval', '500ms');
  await top.shows(/TELEMETRY/);
  await stack.nats.stop();
  await top.shows(/NATS: /);
  await stack.nats.start();
  const before = top.text().length;
  await until(() => top.text().slice(before).includes('TELEMETRY'), {
    what: 'it is back',
    timeoutMs: 20_000,
  });
  top.child.kill('SIGTERM');
  expect(await top.child.exited).toBe(0);
  expect(top.text().trimEnd().endsWith(leave)).toBe(true);
});

test('without a terminal one view is printed, and --json prints lines', async () => {
  await using _sending = keepSending();
  const once = await stack.cli('top');
  expect([once.code, once.stdout.includes('\u001b')]).toEqual([0, false]);
  expect(once.stdout).toMatch(/http +\d.*stored +\d/);
  const json = await stack.cli('top', '--json', '--once');
  const [line = '', ...more] = json.stdout.trimEnd().split('\n');
  expect(more).toEqual([]);
  const view: unknown = JSON.parse(line);
  expect(view).toMatchObject({
    nats: { reachable: true },
    database: { reachable: true },
    in_per_second: { http: { refused: 0 } },
    unaccounted: 0,
    durability: { class: 'process-crash-safe' },
    devices: { devices: 1 },
    streams: [{ name: 'TELEMETRY' }, { name: 'ROUTES' }],
  });
  const { roles, out_per_second: out } = view as {
    roles: { role: string }[];
    out_per_second: { stored: number };
  };
  expect(roles.map(({ role }) => role)).toEqual(['gateway', 'worker']);
  expect(out.stored).toBeGreaterThan(0);
});
