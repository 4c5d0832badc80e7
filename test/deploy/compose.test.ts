import { expect, test } from 'bun:test';
import { cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseConfig } from '../../src/config/parse-config.ts';
import { withSecretFiles } from '../../src/config/secret-files.ts';
import { runTributary } from '../harness/role-process.ts';
import { tempFolder } from '../harness/temp-folder.ts';

const deploy = resolve(import.meta.dir, '../../deploy');

interface Service {
  readonly container_name?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly image: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition?: string }>>;
  readonly deploy?: { readonly replicas?: number };
  readonly profiles?: readonly string[];
  readonly user?: string;
  readonly volumes?: readonly string[];
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

/** The files as docker-compose itself understands them, merged and with their anchors resolved. */
function resolved(...files: string[]): Compose {
  const args = files.flatMap((file) => ['-f', join(deploy, file)]);
  const command = ['docker-compose', '--profile', 'bridge', ...args, 'config'];
  const run = Bun.spawnSync(command, { stdout: 'pipe', stderr: 'pipe' });
  if (!run.success) throw new Error(`docker-compose config: ${run.stderr}`);
  return Bun.YAML.parse(run.stdout.toString()) as Compose;
}

const ours = ({ services }: Compose) =>
  Object.entries(services).filter(([, { image }]) => image.startsWith('tributary'));

const installed = Bun.which('docker-compose') !== null;
const whenInstalled = test.skipIf(!installed);
if (!installed)
  console.error('skipped: docker-compose is not installed (Debian: apt-get install docker-compose)');

whenInstalled(
  'the file is one that docker-compose takes, with every service that the issue of it names',
  () => {
    const { services } = resolved('docker-compose.yml');
    expect(Object.keys(services).toSorted()).toEqual(
      (
        'caddy console delivery gateway grafana migrate mosquitto mqtt mqtt-bridge nats nats-init postgres prometheus ' +
        'topology worker'
      ).split(' '),
    );
    expect(services.nats?.container_name).toBe('iot-nats');
    expect(services['nats-init']?.container_name).toBe('iot-nats-init');
    // Only with --profile bridge.
    const profiled = Object.entries(services).filter(([, { profiles }]) => profiles !== undefined);
    expect(profiled.map(([name, { profiles }]) => [name, profiles])).toEqual([
      ['mosquitto', ['bridge']],
      ['mqtt-bridge', ['bridge']],
    ]);
    expect([services.gateway?.deploy?.replicas, services.worker?.deploy?.replicas]).toEqual([2, 2]);
  },
);

whenInstalled(
  'roles run commands that exist, with settings that are accepted, once NATS is healthy',
  async () => {
    const compose = resolved('docker-compose.yml');
    for (const [name, { command = [], environment = {}, healthcheck, depends_on }] of ours(compose)) {
      const help = await runTributary([...command, '--help'], {});
      expect([name, help.code]).toEqual([name, 0]);
      // Throws at a name that is no setting.
      const config = parseConfig(withSecretFiles(environment, () => 'postgres://x@y/z'));
      expect(config.natsUrl).toBe('nats://iot-nats:4222');
      if (healthcheck === undefined) continue;
      expect(healthcheck.test).toEqual(['CMD', '/usr/local/bin/tributary', 'healthcheck', name]);
      expect(depends_on?.nats?.condition).toBe('service_healthy');
    }
    expect(ours(compose)).toHaveLength(8);
  },
);

whenInstalled(
  'with the second file NATS is three servers, and every role knows them and asks for three replicas',
  () => {
    const compose = resolved('docker-compose.yml', 'docker-compose.cluster.yml');
    const names = ['nats', 'nats-2', 'nats-3'].map((name) => compose.services[name]?.container_name ?? '');
    expect(names).toEqual(['iot-nats', 'iot-nats-2', 'iot-nats-3']);
    for (const [name, { environment = {} }] of ours(compose)) {
      expect([name, environment.NATS_URL]).toEqual([
        name,
        names.map((each) => `nats://${each}:4222`).join(','),
      ]);
      expect([name, environment.TRIBUTARY_STREAM_REPLICAS]).toEqual([name, '3']);
    }
  },
);

test('every file that is mounted, and every secret, is there or is made', () => {
  const compose = Bun.YAML.parse(readFileSync(join(deploy, 'docker-compose.yml'), 'utf8')) as Compose;
  const mounted = Object.values(compose.services).flatMap(({ volumes = [] }) =>
    volumes.filter((volume) => volume.startsWith('./')).map((volume) => volume.split(':')[0] ?? ''),
  );
  expect(mounted.length).toBeGreaterThan(4);
  for (const path of mounted) expect([path, existsSync(join(deploy, path))]).toEqual([path, true]);
  using temp = tempFolder('secrets');
  cpSync(join(deploy, 'make-secrets.sh'), join(temp.path, 'make-secrets.sh'));
  const make = () => Bun.spawnSync(['sh', join(temp.path, 'make-secrets.sh')], { stdout: 'pipe' });
  expect(make().success).toBe(true);
  const folder = join(temp.path, 'compose/secrets');
  const wanted = Object.values(compose.secrets).map(({ file }) => file.replace('./compose/secrets/', ''));
  expect(readdirSync(folder).toSorted()).toEqual(wanted.toSorted());
  expect(statSync(folder).mode & 0o077).toBe(0);
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  expect(new URL(read('database_url')).password).toBe(read('postgres_password'));
  expect(
    parseConfig({ TRIBUTARY_SECRETS_KEY: read('secrets_key'), TRIBUTARY_RECEIPT_KEY: read('receipt_key') }),
  ).toBeObject();
  const before = read('secrets_key');
  expect(make().stdout.toString()).toBe('');
  expect(read('secrets_key')).toBe(before);
});
