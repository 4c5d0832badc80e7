/**
 * How much memory each role takes: at rest, under load, while NATS and then PostgreSQL stand still for a minute under
 * load, and with a million messages waiting. `bun bench/memory.ts [--quick]`; the figures stand in docs/limits.md.
 */
import { fillStream } from './figures/drain.ts';
import { standardFleet } from './load/fleet.ts';
import { startReconnectingMqtt } from './load/reconnecting-mqtt.ts';
import { runLoad } from './load/run-load.ts';
import { type Backend, openBackend } from './measure/backend.ts';
import { usageOf } from './measure/process-usage.ts';
import type { Program } from './measure/program.ts';
import { startRole } from './measure/roles.ts';
import { type Servers, startServers } from './measure/servers.ts';
import { stopTree } from './measure/stop-tree.ts';

const quick = process.argv.includes('--quick');
const stallMs = quick ? 10_000 : 60_000;
const drainMs = quick ? 20_000 : 120_000;
const million = quick ? 50_000 : 1_000_000;
const say = (line: string) => console.error(`● ${line}`);
const MiB = 1024 ** 2;

interface Phase {
  readonly what: string;
  /** Largest resident size seen, by role, in bytes. */
  readonly peaks: ReadonlyMap<string, number>;
  readonly note: string;
}

/** Samples while `work` runs. */
async function measured(
  what: string,
  roles: readonly Program[],
  work: () => Promise<string>,
): Promise<Phase> {
  say(what);
  const peaks = new Map<string, number>();
  const sample = () => {
    for (const { name, pid } of roles) {
      peaks.set(name, Math.max(peaks.get(name) ?? 0, usageOf(pid).rssBytes));
    }
  };
  const timer = setInterval(sample, 250);
  try {
    sample();
    return { what, note: await work(), peaks };
  } finally {
    clearInterval(timer);
  }
}

/** As many requests as the doors answer, over both; what is refused over HTTP is sent as the next message. */
async function loadDoors(gateway: Program, mqtt: Program, measureMs: number): Promise<string> {
  const publishes = startReconnectingMqtt(mqtt.port, standardFleet, { clients: 64, window: 16 });
  const http = await runLoad({
    door: { kind: 'batch', port: gateway.port, connections: 64, batchSize: 100 },
    fleet: standardFleet,
    pace: { kind: 'closed' },
    warmUpMs: 0,
    measureMs,
  });
  publishes.stop();
  return `${http.accepted} accepted and ${http.failed} refused over HTTP, ${publishes.acknowledged} PUBACKs`;
}

/** The load goes on while the process stands still. */
async function stalled(pid: number, load: () => Promise<string>): Promise<string> {
  const goOn = stopTree(pid);
  try {
    return await load();
  } finally {
    goOn();
  }
}

/** Until the backlog is gone, or for as long as it takes to see that nothing grows. @returns what is left, and after how long */
async function drained(backend: Backend): Promise<[left: number, ms: number]> {
  const startedMs = performance.now();
  for (;;) {
    const left = await backend.backlog();
    const ms = performance.now() - startedMs;
    if (left === 0 || ms > drainMs) return [left, ms];
    await Bun.sleep(500);
  }
}

/** Has a million messages wait: meanwhile the worker stands still, or it would have settled some of them. */
async function filled(servers: Servers, backend: Backend, workerPid: number): Promise<number> {
  say(`filling the stream up to ${million} messages`);
  const goOn = stopTree(workerPid);
  try {
    await fillStream(servers, standardFleet, Math.max(1, million - (await backend.backlog())));
    return await backend.backlog();
  } finally {
    goOn();
  }
}

async function phases(servers: Servers, backend: Backend): Promise<Phase[]> {
  await using cleanup = new AsyncDisposableStack();
  const start = async (role: 'gateway' | 'mqtt' | 'worker') => {
    const program = await startRole(servers, role);
    cleanup.defer(() => program.stop());
    return program;
  };
  const [gateway, mqtt, worker] = [await start('gateway'), await start('mqtt'), await start('worker')];
  const doors = [gateway, mqtt];
  const roles = [...doors, worker];
  const seen: Phase[] = [];
  const load = (ms: number) => () => loadDoors(gateway, mqtt, ms);
  seen.push(
    await measured('at rest', roles, async () => {
      await Bun.sleep(5_000);
      return '';
    }),
  );
  seen.push(await measured('under load', roles, load(5_000)));
  seen.push(
    await measured(`NATS stands still for ${stallMs / 1_000} s`, roles, () =>
      stalled(servers.natsPid, load(stallMs)),
    ),
  );
  seen.push(
    await measured(`PostgreSQL stands still for ${stallMs / 1_000} s`, roles, () =>
      stalled(servers.postgresPid, load(stallMs)),
    ),
  );
  const backlog = await filled(servers, backend, worker.pid);
  seen.push(
    await measured(`a backlog of ${backlog} messages drains`, roles, async () => {
      const [left, ms] = await drained(backend);
      return `${backlog - left} of them in ${Math.round(ms / 1_000)} s`;
    }),
  );
  return seen;
}

function printTable(seen: readonly Phase[]): void {
  const names = ['gateway', 'mqtt', 'worker'];
  console.log(`| phase | ${names.map((name) => `${name}, MiB`).join(' | ')} | |`);
  console.log(`| --- | ${names.map(() => '---:').join(' | ')} | --- |`);
  for (const { what, peaks, note } of seen) {
    const cells = names.map((name) => Math.round((peaks.get(name) ?? 0) / MiB));
    console.log(`| ${what} | ${cells.join(' | ')} | ${note} |`);
  }
}

const servers = await startServers(say);
try {
  const backend = await openBackend(servers);
  try {
    await backend.register(standardFleet);
    await backend.knowSensors(standardFleet);
    printTable(await phases(servers, backend));
  } finally {
    await backend.close();
  }
} finally {
  await servers.stop();
}
