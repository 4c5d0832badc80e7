import type pg from 'pg';
import { startTestNats, type TestNats } from './nats.ts';
import { createTestDatabase } from './postgres.ts';
import { type CliResult, type RoleName, type RoleProcess, runTributary, startRole } from './role-process.ts';
import { until } from './until.ts';

export interface StackOptions {
  /** How many of each; default one of each, and neither delivery nor console. */
  readonly roles?: Partial<Record<RoleName, number>>;
  /** Settings of all roles. */
  readonly env?: Readonly<Record<string, string>>;
  /** Another database than a clone of the template, for tests that stop PostgreSQL. */
  readonly databaseUrl?: string;
}

export interface Stack {
  readonly nats: TestNats;
  readonly databaseUrl: string;
  /** For the test's own questions. */
  readonly pool: pg.Pool;
  readonly httpUrl: string;
  readonly mqttUrl: string;
  readonly consoleUrl: string;
  readonly roles: readonly RoleProcess[];
  readonly env: Readonly<Record<string, string>>;
  role(name: RoleName): RoleProcess;
  start(name: RoleName): Promise<RoleProcess>;
  cli(...args: string[]): Promise<CliResult>;
  /** Runs a command that must succeed and prints JSON. */
  cliJson(...args: string[]): Promise<unknown>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The whole system as processes of its own, on ephemeral ports, against a real NATS and PostgreSQL. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  await using cleanup = new AsyncDisposableStack();
  const database = cleanup.use(await createTestDatabase());
  const nats = cleanup.use(await startTestNats());
  const databaseUrl = options.databaseUrl ?? database.url;
  const env = {
    NATS_URL: nats.url,
    DATABASE_URL: databaseUrl,
    TRIBUTARY_HTTP_PORT: '0',
    TRIBUTARY_MQTT_PORT: '0',
    TRIBUTARY_CONSOLE_PORT: '0',
    // Doors learn of a fleet a moment after it is registered: until then what it sends comes out of this bucket.
    TRIBUTARY_UNKNOWN_TENANT_BURST: '100000',
    ...options.env,
  };
  const roles: RoleProcess[] = [];
  cleanup.defer(async () => {
    await Promise.all(roles.map((role) => role.stop()));
  });
  const start = async (name: RoleName) => {
    const role = await startRole(name, env);
    roles.push(role);
    if (name === 'gateway') await whenReady(role);
    return role;
  };
  for (const name of ['gateway', 'mqtt', 'worker', 'delivery', 'console'] as const) {
    const count = options.roles?.[name] ?? (name === 'delivery' || name === 'console' ? 0 : 1);
    await Promise.all(Array.from({ length: count }, () => start(name)));
  }
  const role = (name: RoleName) => {
    const found = roles.find((each) => each.role === name);
    if (found === undefined) throw new Error(`the stack runs no ${name}`);
    return found;
  };
  const cli = (...args: string[]) => runTributary(args, env);
  const owned = cleanup.move();
  return {
    nats,
    databaseUrl,
    pool: database.pool,
    get httpUrl() {
      return `http://127.0.0.1:${role('gateway').port}`;
    },
    get mqttUrl() {
      return `mqtt://127.0.0.1:${role('mqtt').port}`;
    },
    get consoleUrl() {
      return `http://127.0.0.1:${role('console').port}`;
    },
    roles,
    env,
    role,
    start,
    cli,
    async cliJson(...args) {
      const { code, stdout, stderr } = await cli(...args, '--json');
      if (code !== 0) throw new Error(`tributary ${args.join(' ')} ended with ${code}: ${stderr}`);
      return JSON.parse(stdout);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** It listens at once; on a busy machine the streams are there a moment later. */
async function whenReady({ port }: RoleProcess): Promise<void> {
  const isReady = async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  await until(isReady, { what: 'the gateway is ready', timeoutMs: 20_000 });
}
