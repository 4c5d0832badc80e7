import { describe, expect, test } from 'bun:test';
import { roleNames } from '../../src/cli/role-names.ts';
import { startTestNats } from '../harness/nats.ts';
import { createTestDatabase } from '../harness/postgres.ts';
import { patchedSource } from '../prove/patched-source.ts';

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const anyPort = {
  TRIBUTARY_HTTP_PORT: '0',
  TRIBUTARY_MQTT_PORT: '0',
  TRIBUTARY_CONSOLE_PORT: '0',
  TRIBUTARY_HEALTH_PORT: '0',
  // Nobody listens there: the bridge goes on trying.
  TRIBUTARY_BRIDGE_URL: 'mqtt://127.0.0.1:1',
};

interface End {
  readonly code: number;
  readonly signal: NodeJS.Signals | number | null;
  readonly log: string;
}

/** Runs a role to its end; `onLog` is told of all that it has logged, each time there is more. */
async function runRole(
  file: string,
  role: string,
  env: Readonly<Record<string, string>>,
  whenStarted: (stop: () => void) => void = () => {},
  onLog: (log: string, stop: () => void) => void = () => {},
): Promise<End> {
  await using child = Bun.spawn([process.execPath, file, role], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1', ...anyPort, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const stop = () => child.kill('SIGTERM');
  whenStarted(stop);
  let log = '';
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      log += decoder.decode(chunk, { stream: true });
      onLog(log, stop);
    }
  };
  const [code] = await Promise.all([child.exited, collect(child.stdout), collect(child.stderr)]);
  return { code, signal: child.signalCode, log };
}

const inOrder = { code: 0, signal: null };

/** A server that takes connections and never says a word. */
function startSilentServer(onConnection: () => void) {
  const server = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: { open: onConnection, data: () => {} },
  });
  return { address: `127.0.0.1:${server.port}`, [Symbol.dispose]: () => server.stop(true) };
}

describe.each(roleNames)('SIGTERM ends a %s in order', (role) => {
  test('while its program is being loaded, before it has read a setting', async () => {
    // The settings are among the first modules that the rest of the program loads.
    using tree = patchedSource([
      {
        file: 'src/config/settings/setting.ts',
        replace: "import Type, { type Static, type TSchema } from 'typebox';",
        by: "import Type, { type Static, type TSchema } from 'typebox';\nprocess.kill(process.pid, 'SIGTERM');",
      },
    ]);
    const { log, ...end } = await runRole(tree.main, role, {});
    expect(end).toEqual(inOrder);
    expect(log).toBe('');
  });

  test('while NATS does not answer: the start is broken off', async () => {
    const reached = Promise.withResolvers<void>();
    using silent = startSilentServer(reached.resolve);
    const env = { NATS_URL: `nats://${silent.address}`, DATABASE_URL: `postgres://u@${silent.address}/d` };
    const { log, ...end } = await runRole(main, role, env, (stop) => void reached.promise.then(stop));
    expect(end).toEqual(inOrder);
    expect(log).not.toContain('"event":"ready"');
  });

  test('while PostgreSQL does not answer', async () => {
    const reached = Promise.withResolvers<void>();
    await using nats = await startTestNats();
    using silent = startSilentServer(reached.resolve);
    const env = { NATS_URL: nats.url, DATABASE_URL: `postgres://u@${silent.address}/d` };
    const { log, ...end } = await runRole(main, role, env, (stop) => void reached.promise.then(stop));
    expect(end).toEqual(inOrder);
    expect(log).not.toContain('error:');
  });

  test('at the moment it says that it is ready', async () => {
    await using nats = await startTestNats();
    await using database = await createTestDatabase();
    let told = false;
    const whenReady = (log: string, stop: () => void) => {
      if (told || !log.includes('"event":"ready"')) return;
      told = true;
      stop();
    };
    const env = { NATS_URL: nats.url, DATABASE_URL: database.url };
    const { log, ...end } = await runRole(main, role, env, undefined, whenReady);
    expect(end).toEqual(inOrder);
    expect(log).toContain('"event":"drained"');
  });
});
