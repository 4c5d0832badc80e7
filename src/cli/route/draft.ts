import type { TenantId } from '../../model/identifiers.ts';
import type { Route } from '../../model/route.ts';
import { createConditionCompiler } from '../../model/route-condition.ts';
import { type Destination, parseDestination } from '../../model/route-destination.ts';
import { checkTopicFilter } from '../../model/topic-filter.ts';
import { usageError } from '../exit-codes.ts';
import type { LimitOption } from '../parsers.ts';
import { checked } from './mark-fault.ts';
import type { RouteOptions } from './route-options.ts';

/** A route as it is to be, checked. */
export type Draft = Omit<Route, 'routeId'>;

/**
 * @param before as it is; undefined: it is to be made
 * @throws CliError for what is refused, with the place marked
 */
export function draftRoute(
  { tenantId, name }: { readonly tenantId: TenantId; readonly name: string },
  options: RouteOptions,
  before?: Draft,
): Draft {
  const topicFilter = options.filter ?? before?.topicFilter ?? '#';
  checked(topicFilter, () => checkTopicFilter(topicFilter, tenantId));
  const condition = options.condition === 'none' ? undefined : (options.condition ?? before?.condition);
  if (condition !== undefined) checked(condition, () => createConditionCompiler()(condition));
  const wanted = destinationOf(options, before?.destination);
  return {
    tenantId,
    name,
    topicFilter,
    condition,
    firesOn: options.on ?? before?.firesOn ?? ['message'],
    destination: checked(templateOf(wanted), () => parseDestination(wanted, tenantId)),
    ratePerSecond: limitOf(options.rate, before?.ratePerSecond),
    burst: limitOf(options.burst, before?.burst),
    enabled: before?.enabled ?? true,
  };
}

function limitOf(option: LimitOption | undefined, before: number | undefined): number | undefined {
  if (option === undefined) return before;
  return option === 'default' ? undefined : option;
}

/** The text that a position in a destination counts in. */
function templateOf({ topic, subject }: Readonly<Record<string, unknown>>): string {
  return String(topic ?? subject ?? '');
}

type Kind = Destination['kind'];

const optionsOf: Readonly<Record<Kind, readonly (keyof RouteOptions)[]>> = {
  webhook: ['method', 'header', 'batch', 'batchWait', 'signingSecret', 'unsigned', 'secretHeaders'],
  mqtt: ['broker', 'username', 'password'],
  nats: [],
};

function destinationOf(options: RouteOptions, before: Destination | undefined): Record<string, unknown> {
  const given = (['webhook', 'mqtt', 'nats'] as const).filter((kind) => options[kind] !== undefined);
  const [kind = before?.kind] = given;
  if (kind === undefined || given.length > 1)
    throw usageError('say where to, with one of --webhook <url>, --mqtt <topic>, --nats <subject>.');
  refuseForeign(kind, options);
  const base = before?.kind === kind ? before : undefined;
  switch (kind) {
    case 'webhook':
      return webhookOf(options, base?.kind === 'webhook' ? base : undefined);
    case 'mqtt': {
      const own = base?.kind === 'mqtt' ? base : undefined;
      return {
        kind,
        topic: options.mqtt ?? own?.topic,
        ...present('url', options.broker ?? own?.url),
        ...present('username', options.username ?? own?.username),
      };
    }
    case 'nats':
      return { kind, subject: options.nats ?? (base?.kind === 'nats' ? base.subject : undefined) };
  }
}

function webhookOf(
  options: RouteOptions,
  before: Extract<Destination, { kind: 'webhook' }> | undefined,
): Record<string, unknown> {
  const headers = options.header === undefined ? before?.headers : headersOf(options.header);
  return {
    kind: 'webhook',
    url: options.webhook ?? before?.url,
    ...present('method', options.method ?? before?.method),
    ...present('headers', headers),
    ...present('batch', batchOf(options, before?.batch)),
  };
}

const defaultBatchWaitMs = 1_000;

function batchOf(
  { batch, batchWait }: RouteOptions,
  before: { readonly max_messages: number; readonly max_wait_ms: number } | undefined,
): unknown {
  if (batch === 'none') return undefined;
  const max = batch ?? before?.max_messages;
  if (max === undefined) {
    if (batchWait !== undefined) throw usageError('--batch-wait is of a batch: give --batch <n> with it.');
    return undefined;
  }
  return { max_messages: max, max_wait_ms: batchWait ?? before?.max_wait_ms ?? defaultBatchWaitMs };
}

/** @throws CliError for a line that is none; `none` alone: no headers. */
export function headersOf(lines: readonly string[]): Record<string, string> | undefined {
  if (lines.length === 1 && lines[0] === 'none') return undefined;
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      if (colon < 1) throw usageError('a header is given as "Name: value".');
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
}

function refuseForeign(kind: Kind, options: RouteOptions): void {
  for (const [other, names] of Object.entries(optionsOf)) {
    const foreign = other === kind ? undefined : names.find((name) => options[name] !== undefined);
    if (foreign !== undefined)
      throw usageError(`${flagOf(foreign)} is of a ${other}, and this route is a ${kind}.`);
  }
}

function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function present(name: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [name]: value };
}
