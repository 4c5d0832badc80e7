import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Config } from '../../config/settings.ts';
import { createRandomPool } from '../../lib/random-pool.ts';
import { createOtlpExporter } from '../../observe/otlp-exporter.ts';
import { createTracer, type Tracer } from '../../observe/tracer.ts';
import { createTracingMetrics } from '../../observe/tracing.ts';
import type { RoleInstruments } from './role-deps.ts';
import { type RoleName, version } from './role-status.ts';

export interface RoleTracingOptions extends RoleInstruments {
  readonly config: Config;
  readonly role: RoleName;
  readonly id: string;
}

export interface RoleTracing {
  /** Undefined: no collector is set, and nothing is traced. */
  readonly tracer: Tracer | undefined;
  /** Sends the last spans, as far as the time allows. */
  drain(): Promise<void>;
}

/** @throws Error with one sentence for a collector's address or headers that are none */
export function startRoleTracing(options: RoleTracingOptions): RoleTracing {
  const { config, role, id, log, now, wallClock, random } = options;
  const metrics = createTracingMetrics(options.metrics);
  if (config.otlpUrl === undefined) return { tracer: undefined, drain: () => Promise.resolve() };
  const exporter = createOtlpExporter({
    url: collectorUrl(config.otlpUrl),
    headers: parseHeaders(config.otlpHeaders ?? ''),
    resource: { service: `tributary-${role}`, version, instance: id, host: hostname() },
    metrics,
    log,
  });
  const tracer = createTracer({
    ratio: config.traceRatio,
    random,
    randomBytes: createRandomPool(randomBytes),
    now,
    wallClock,
    keep: exporter.keep,
  });
  return { tracer, drain: exporter.drain };
}

function collectorUrl(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text;
  throw new Error(`TRIBUTARY_OTLP_URL is no address of a collector: give one like http://127.0.0.1:4318.`);
}

/** As OTEL_EXPORTER_OTLP_HEADERS has them: `name=value,name=value`, values percent-encoded. */
function parseHeaders(text: string): Readonly<Record<string, string>> {
  const parts = text.split(',').filter((part) => part.trim() !== '');
  return Object.fromEntries(
    parts.map((part) => {
      const [, name = '', value = ''] = /^\s*([A-Za-z0-9-]+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
      if (name === '') throw new Error('TRIBUTARY_OTLP_HEADERS is no list of name=value: mend or unset it.');
      return [name, decodeURIComponent(value)];
    }),
  );
}
