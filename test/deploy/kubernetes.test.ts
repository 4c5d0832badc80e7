import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import packageJson from '../../package.json' with { type: 'json' };
import { parseConfig } from '../../src/config/parse-config.ts';
import { withSecretFiles } from '../../src/config/secret-files.ts';
import { runTributary } from '../harness/role-process.ts';

const folder = resolve(import.meta.dir, '../../deploy/kubernetes');
const models = {
  Deployment,
  HorizontalPodAutoscaler,
  Job,
  NetworkPolicy,
  PodDisruptionBudget,
  ConfigMap,
  Namespace,
  Secret,
  Service,
  ServiceAccount,
  StatefulSet,
};

interface Manifest {
  readonly apiVersion: string;
  readonly kind: keyof typeof models;
  readonly metadata: { readonly name: string };
}
type Parsed = Manifest & { readonly file: string; readonly value: Record<string, unknown> };

function manifests(): Parsed[] {
  const files = readdirSync(folder).filter((file) => file !== 'kustomization.yml');
  return files.flatMap((file) => {
    const parsed = Bun.YAML.parse(readFileSync(join(folder, file), 'utf8'));
    return (Array.isArray(parsed) ? parsed : [parsed]).map((value) => ({
      ...(value as Manifest),
      file,
      value,
    }));
  });
}

const containersOf = ({ kind, value }: Parsed) => {
  if (kind === 'StatefulSet') return new StatefulSet(value as never).spec?.template.spec?.containers ?? [];
  if (kind === 'Deployment') return new Deployment(value as never).spec?.template.spec?.containers ?? [];
  return kind === 'Job' ? (new Job(value as never).spec?.template.spec?.containers ?? []) : [];
};

test('every manifest is valid by the schemas of Kubernetes', () => {
  const all = manifests();
  expect(all.length).toBeGreaterThan(15);
  for (const { file, kind, value } of all) {
    const Model = models[kind];
    expect([file, kind, typeof Model]).toEqual([file, kind, 'function']);
    const { validate } = new Model(value as never);
    expect(validate).toBeFunction();
    new Model(value as never).validate();
  }
});

test('a bridge has a client id that outlives its pod, and each another one', () => {
  const [bridge] = manifests().filter(({ kind }) => kind === 'StatefulSet');
  const env = bridge === undefined ? [] : (containersOf(bridge)[0]?.env ?? []);
  expect(env.find(({ name }) => name === 'TRIBUTARY_BRIDGE_CLIENT_ID')?.valueFrom?.fieldRef?.fieldPath).toBe(
    'metadata.name',
  );
});

test('the schemas see a fault', () => {
  const [deployment] = manifests().filter(({ kind }) => kind === 'Deployment');
  const spec = deployment?.value.spec as Record<string, unknown>;
  expect(() =>
    new Deployment({ ...deployment?.value, spec: { ...spec, replicas: 'two' } } as never).validate(),
  ).toThrow('replicas');
});

test('kustomization names each file, and that of the bridge for those who have a broker', () => {
  const text = readFileSync(join(folder, 'kustomization.yml'), 'utf8');
  const { resources } = Bun.YAML.parse(text.replace('# - mqtt-bridge.yml', '- mqtt-bridge.yml')) as {
    resources: string[];
  };
  const files = readdirSync(folder).filter(
    (file) => !['kustomization.yml', 'secret.example.yml'].includes(file),
  );
  expect(resources.toSorted()).toEqual(files.toSorted());
});

test('containers run commands that exist, of this version, with settings that are accepted and secrets that are named', async () => {
  const all = manifests();
  const partOf = (kind: string, key: string) =>
    all.find((each) => each.kind === kind)?.value[key] as Record<string, string>;
  const config = partOf('ConfigMap', 'data');
  const secrets = partOf('Secret', 'stringData');
  let seen = 0;
  for (const manifest of all) {
    for (const { name, args = [], env = [], image } of containersOf(manifest)) {
      seen += 1;
      expect([name, image]).toEqual([name, `tributary:${packageJson.version}`]);
      expect([name, (await runTributary([...args, '--help'], {})).code]).toEqual([name, 0]);
      const environment = Object.fromEntries(env.map((each) => [each.name, each.value]));
      const read = (path: string) => {
        const secret = secrets[path.replace('/etc/tributary/', '')];
        if (secret === undefined) throw new Error(`${path} is in no secret`);
        return path.endsWith('-key') ? Buffer.alloc(32).toString('base64') : secret;
      };
      // Throws at a name that is no setting.
      parseConfig(withSecretFiles({ ...config, ...environment }, read));
    }
  }
  expect(seen).toBe(8);
});
