import type { Command } from 'commander';
import type pg from 'pg';
import type { Outcome } from '../../delivery/outcome.ts';
import type { TenantId } from '../../model/identifiers.ts';
import type { RouteSecrets } from '../../model/route-secrets.ts';
import { createStoredMatcher } from '../../roles/routes/match-stored.ts';
import { type Outgoing, outgoingOf, parcelsOf } from '../../roles/routes/outgoing.ts';
import { findRoute, requireTenant } from '../../store/registry/find-routes.ts';
import { selectLastStored } from '../../store/routes/select-stored.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, type Invocation, invocationOf } from '../define-command.ts';
import { CliError } from '../exit-codes.ts';
import { toJson } from '../output/json.ts';
import { formatCount } from '../output/number.ts';
import { oneLine } from '../output/table.ts';
import { parseRouteName, parseTenantId, wholeNumber } from '../parsers.ts';
import { type Draft, draftRoute } from '../route/draft.ts';
import { draftSecrets } from '../route/draft-secrets.ts';
import {
  addRouteOptions,
  addSecretOptions,
  type RouteOptions,
  routeSettings,
} from '../route/route-options.ts';
import { openSecrets } from '../route/secrets-key.ts';
import { describeOutcome, sendTest } from '../route/send-test.ts';
import { destinationOf } from '../route/view.ts';

type Options = RouteOptions & {
  readonly last: number;
  readonly show: number;
  readonly send?: boolean;
};

export function addRouteTest(route: Command, context: CliContext): void {
  const command = defineCommand(route, {
    usage: 'test',
    summary: 'show what a route would send of the last stored messages',
    details:
      'Looks at the last messages of the tenant and says which of them match, and what exactly is sent of the newest: ' +
      'method, address, headers with the signature of this moment, body. Sends nothing, unless --send: then the newest, ' +
      'once, under the id that it always has. Options change the route for the test only; without a name they make up a ' +
      'new one.',
    examples: [
      'route test acme alerts',
      `route test acme alerts -c 'metrics.t > 35' --last 1000`,
      'route test acme --webhook https://a.example --show 3',
      'route test acme alerts --send',
    ],
    settings: [...routeSettings, 'deliveryTimeoutMs'],
  })
    .argument('<tenant_id>', 'whose', parseTenantId)
    .argument('[name]', 'which; none: a new one', parseRouteName);
  addSecretOptions(addRouteOptions(command))
    .option('-n, --last <n>', 'messages to look at', wholeNumber(1, 100_000), 100)
    .option('--show <n>', 'requests to show', wholeNumber(0, 1_000), 1)
    .option('--send', 'send the newest that matches, once')
    .action((tenantId: TenantId, name: string | undefined, options: Options, self: Command) =>
      run(invocationOf(context, self), tenantId, name, options),
    );
}

interface Tested {
  readonly draft: Draft;
  readonly routeId: number;
  readonly secrets: RouteSecrets;
}

interface Result {
  readonly lookedAt: number;
  readonly matched: number;
  readonly conditionErrors: number;
  readonly shown: readonly Outgoing[];
  readonly outcome: Outcome | undefined;
}

async function run(
  invocation: Invocation,
  tenantId: TenantId,
  name: string | undefined,
  options: Options,
): Promise<void> {
  const { tested, messages } = await withDatabase(invocation, async (pool) => ({
    tested: await toTest(pool, invocation, { tenantId, name }, options),
    messages: await selectLastStored(pool, tenantId, options.last),
  }));
  const { draft, routeId, secrets } = tested;
  const match = createStoredMatcher({ ...draft, routeId, firesOn: ['message'] });
  const results = messages.map((message) => ({ message, match: match(message) }));
  const matching = results.filter((each) => each.match === 'match').map(({ message }) => message);
  const { clock } = invocation;
  const parcels = parcelsOf(routeId, draft.destination, matching, clock());
  const shown = parcels
    .slice(0, options.show)
    .map((parcel) => outgoingOf(parcel, draft.destination, secrets, clock));
  const [newest] = parcels;
  if (options.send === true && newest === undefined)
    throw new CliError(`none of the last ${messages.length} messages matches: there is nothing to send.`);
  const outcome =
    options.send === true && newest !== undefined
      ? await sendTest(invocation, newest, draft.destination, secrets)
      : undefined;
  const result = {
    lookedAt: messages.length,
    matched: matching.length,
    conditionErrors: results.filter((each) => each.match === 'error').length,
    shown,
    outcome,
  };
  invocation.terminal.out(invocation.json ? toJson(asJson(tested, result)) : describe(tested, result));
  if (outcome !== undefined && outcome.kind !== 'delivered') throw new CliError('it was not delivered.');
}

async function toTest(
  pool: pg.Pool,
  invocation: Invocation,
  { tenantId, name }: { readonly tenantId: TenantId; readonly name: string | undefined },
  options: RouteOptions,
): Promise<Tested> {
  if (name === undefined) {
    await requireTenant(pool, tenantId);
    const draft = draftRoute({ tenantId, name: 'test' }, options);
    const { secrets } = await draftSecrets(draft.destination, options, undefined, invocation);
    return { draft, routeId: 0, secrets };
  }
  const { route, secrets: sealed } = await findRoute(pool, tenantId, name);
  const before = { ...route, destination: destinationOf(route) };
  const draft = draftRoute(route, options, before);
  const opened =
    before.destination.kind === draft.destination.kind ? openSecrets(sealed, route, invocation) : undefined;
  const { secrets } = await draftSecrets(draft.destination, options, opened, invocation);
  return { draft, routeId: route.routeId, secrets };
}

function asJson({ draft }: Tested, { lookedAt, matched, conditionErrors, shown, outcome }: Result): unknown {
  return {
    tenant_id: draft.tenantId,
    name: draft.name,
    looked_at: lookedAt,
    matched,
    condition_errors: conditionErrors,
    requests: shown.map(({ jobIds, line, headers, body }) => ({ job_ids: jobIds, line, headers, body })),
    sent: outcome === undefined ? null : { outcome: outcome.kind, detail: describeOutcome(outcome) },
  };
}

function describe({ draft }: Tested, { lookedAt, matched, conditionErrors, shown, outcome }: Result): string {
  if (lookedAt === 0) return `Tenant ${draft.tenantId} has no stored messages yet: send one and look again.`;
  const failed =
    conditionErrors === 0
      ? ''
      : ` Of ${formatCount(conditionErrors)} the condition could not be evaluated: that is no match.`;
  const off = draft.enabled ? '' : '\nThe route is off: it sends nothing until it is enabled.';
  const more = matched > shown.length && shown.length > 0 ? 'The newest of them is sent as:' : '';
  return [
    `Of the last ${formatCount(lookedAt)} messages ${formatCount(matched)} match.${failed}${off}`,
    ...(shown.length === 0 ? [] : [more, ...shown.map(describeOutgoing)]),
    outcome === undefined ? 'Nothing was sent.' : `Sent: ${describeOutcome(outcome)}.`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function describeOutgoing({ line, headers, body }: Outgoing): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [line, ...lines, ...(body === '' ? [] : ['', body])].map((each) => `  ${oneLine(each)}`).join('\n');
}
