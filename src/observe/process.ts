import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** Gauges that prom-client names as if they were counters; each is there without `_total`, by type, too. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** The registry of a role: what every process tells of itself is in it already. */
export function createRoleRegistry(role: string, version: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  new Gauge({
    name: 'tributary_build_info',
    help: 'Always 1; its labels say which role runs in which version.',
    labelNames: ['role', 'version'],
    registers: [registry],
  }).set({ role, version }, 1);
  return registry;
}
