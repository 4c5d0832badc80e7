/** Every metric of every role, without starting one; a test compares it with what running roles say. */
import type { Registry } from 'prom-client';
import { createAlarmMetrics } from '../src/observe/alarms.ts';
import { createAuditMetrics } from '../src/observe/audit.ts';
import { registerBacklogMetrics } from '../src/observe/backlog.ts';
import { createCanaryMetrics } from '../src/observe/canary.ts';
import { createConsoleMetrics } from '../src/observe/console.ts';
import { createDeliveryMetrics } from '../src/observe/delivery.ts';
import { createHttpMetrics } from '../src/observe/http.ts';
import { createIntakeMetrics } from '../src/observe/intake.ts';
import { createMqttMetrics } from '../src/observe/mqtt.ts';
import { createBridgeMetrics } from '../src/observe/mqtt-bridge.ts';
import { createRoleRegistry } from '../src/observe/process.ts';
import { createPublisherMetrics } from '../src/observe/publisher.ts';
import { createPullerMetrics } from '../src/observe/puller.ts';
import { createRollupMetrics } from '../src/observe/rollups.ts';
import { createRoutingMetrics } from '../src/observe/routing.ts';
import { registerServerMetrics } from '../src/observe/servers.ts';
import { createTracingMetrics } from '../src/observe/tracing.ts';
import { createWorkerMetrics } from '../src/observe/worker.ts';

type Adds = (registry: Registry) => unknown;

const never = () => Promise.resolve(false);
const servers: Adds = (registry) =>
  registerServerMetrics(registry, {
    natsAnswers: never,
    databaseAnswers: never,
    durabilityClass: () => undefined,
  });
const backlog: Adds = (registry) =>
  registerBacklogMetrics(
    registry,
    'TELEMETRY',
    () => undefined,
    () => 0,
  );
const door: readonly Adds[] = [
  servers,
  createTracingMetrics,
  createIntakeMetrics,
  createPublisherMetrics,
  backlog,
];

const ofRole = {
  gateway: [...door, createHttpMetrics, createCanaryMetrics],
  mqtt: [...door, createMqttMetrics],
  'mqtt-bridge': [...door, (registry) => createBridgeMetrics(registry, () => 0)],
  worker: [
    servers,
    createTracingMetrics,
    createPullerMetrics,
    createWorkerMetrics,
    createRoutingMetrics,
    createAuditMetrics,
    createRollupMetrics,
    (registry) => createAlarmMetrics(registry, []),
  ],
  delivery: [servers, createPullerMetrics, createDeliveryMetrics, backlog],
  console: [servers, createConsoleMetrics],
} satisfies Record<string, readonly Adds[]>;

export type CataloguedRole = keyof typeof ofRole;

export interface CataloguedMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
}

export const cataloguedRoles = Object.keys(ofRole) as readonly CataloguedRole[];

/** What a role exports, its process's own metrics included. */
export function catalogueOf(role: CataloguedRole): CataloguedMetric[] {
  const registry = createRoleRegistry(role, '0.0.0');
  for (const add of ofRole[role]) add(registry);
  return registry.getMetricsAsArray().map(described);
}

/** prom-client keeps type and labels on its metrics, and does not declare them. */
function described(metric: object): CataloguedMetric {
  const { name, help, type, labelNames } = metric as {
    name: string;
    help: string;
    type?: CataloguedMetric['type'];
    labelNames: readonly string[];
  };
  const known = type ?? (metric.constructor.name.toLowerCase() as CataloguedMetric['type']);
  return { name, help, type: known, labels: labelNames.filter((label) => label !== 'le') };
}
