import { type Command, InvalidArgumentError } from 'commander';
import type { SettingName } from '../../config/settings.ts';
import { type RouteTrigger, routeTriggers } from '../../model/route.ts';
import { parseDuration } from '../output/duration.ts';
import { type LimitOption, orDefault, positiveNumber, wholeNumber } from '../parsers.ts';
import { connectionSettings } from '../setting-flags.ts';

/** What a route is made of, as it is given on the command line; what is undefined stays as it is. */
export interface RouteOptions {
  readonly filter?: string;
  readonly condition?: string;
  readonly on?: readonly RouteTrigger[];
  readonly webhook?: string;
  readonly method?: 'POST' | 'PUT';
  readonly header?: readonly string[];
  readonly batch?: number | 'none';
  readonly batchWait?: number;
  readonly mqtt?: string;
  readonly broker?: string;
  readonly username?: string;
  readonly nats?: string;
  readonly rate?: LimitOption;
  readonly burst?: LimitOption;
  readonly signingSecret?: string;
  readonly unsigned?: boolean;
  readonly secretHeaders?: string;
  readonly password?: string;
}

export const routeSettings: readonly SettingName[] = [
  ...connectionSettings,
  'secretsKey',
  'allowDestinations',
];

/** Gives a command the options that say what a route is. */
export function addRouteOptions(command: Command): Command {
  return command
    .option('-f, --filter <topic_filter>', 'topics, with MQTT’s + and #; default: # for all')
    .option('-c, --condition <cel>', 'a condition in CEL on the message; none takes it away')
    .option('--on <what>', 'message, status (a device goes silent or comes back), or both', parseTriggers)
    .option('--webhook <url>', 'to: POST each message to this address')
    .option('--method <method>', 'POST or PUT', parseMethod)
    .option('--header <line>', 'a header `Name: value` of the webhook; may be repeated', collect)
    .option('--batch <n|none>', 'up to so many messages in one request', parseBatch)
    .option('--batch-wait <duration>', 'how long a batch waits to be full (default: 1s)', parseDuration)
    .option('--mqtt <topic>', 'to: publish at QoS 1; {tenant_id}, {device_id}, {msg_type}')
    .option('--broker <url>', 'of another MQTT broker; default: our own listener')
    .option('--username <name>', 'at that broker')
    .option('--nats <subject>', 'to: publish to this subject under out.{tenant_id}.')
    .option(
      '--rate <n|default>',
      'messages per second at most, of each worker by itself',
      orDefault(positiveNumber(1_000_000)),
    )
    .option(
      '--burst <n|default>',
      'messages in burst / rate seconds',
      orDefault(wholeNumber(1, 100_000_000)),
    );
}

/** And those that bring its secrets. None of them takes the secret itself: the list of processes would show it. */
export function addSecretOptions(command: Command): Command {
  return command
    .option('--signing-secret <file>', 'file with a whsec_… secret, - for stdin; default: a new one')
    .option('--unsigned', 'sign no request')
    .option('--secret-headers <file>', 'file of `Name: value` lines, - for stdin; none: no more')
    .option('--password <file>', 'file with the broker’s password, - for stdin; none: no more');
}

function collect(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text];
}

function parseTriggers(text: string): RouteTrigger[] {
  const wanted = text.split(',').map((part) => part.trim());
  const all = wanted.includes('both') ? routeTriggers : routeTriggers.filter((each) => wanted.includes(each));
  const isKnown = wanted.every((word) => word === 'both' || routeTriggers.some((each) => each === word));
  if (isKnown && all.length > 0) return [...all];
  throw new InvalidArgumentError('Give message, status or both.');
}

function parseMethod(text: string): 'POST' | 'PUT' {
  const method = text.toUpperCase();
  if (method === 'POST' || method === 'PUT') return method;
  throw new InvalidArgumentError('Give POST or PUT.');
}

function parseBatch(text: string): number | 'none' {
  return text === 'none' ? 'none' : wholeNumber(2, 1_000)(text);
}
