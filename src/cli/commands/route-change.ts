import type { Command } from 'commander';
import type { TenantId } from '../../model/identifiers.ts';
import type { NextSecrets } from '../../model/next-route-secrets.ts';
import { removeRoute, saveRoute, setRouteEnabled } from '../../store/registry/change-route.ts';
import { findRoute, type RouteWithSecrets } from '../../store/registry/find-routes.ts';
import { withChange } from '../audited.ts';
import type { CliContext } from '../context.ts';
import { type CommandShape, defineCommand, type Invocation, invocationOf } from '../define-command.ts';
import { usageError } from '../exit-codes.ts';
import { toJson } from '../output/json.ts';
import { parseRouteName, parseTenantId } from '../parsers.ts';
import { routeAuditDetail } from '../route/audit-detail.ts';
import { draftRoute } from '../route/draft.ts';
import { draftSecrets } from '../route/draft-secrets.ts';
import { noteAddress } from '../route/note-address.ts';
import {
  addRouteOptions,
  addSecretOptions,
  type RouteOptions,
  routeSettings,
} from '../route/route-options.ts';
import { openSecrets, sealSecrets } from '../route/secrets-key.ts';
import { destinationOf } from '../route/view.ts';

export function addRouteUpdate(route: Command, context: CliContext): void {
  const command = defineRouteCommand(route, {
    usage: 'update',
    summary: 'change a route',
    details:
      'What is not named stays. Jobs that wait go to the new destination. A new signing secret counts at once: ' +
      'tributary route rotate lets the old one count beside it for a while.',
    examples: [
      `route update acme hot --condition 'metrics.temp > 35.0'`,
      'route update acme hot --webhook https://example.org/other --rate 20',
      'route update acme hot --condition none --rate default',
    ],
    settings: routeSettings,
  });
  addSecretOptions(addRouteOptions(command)).action(
    async (tenantId: TenantId, name: string, options: RouteOptions, self: Command) => {
      const invocation = invocationOf(context, self);
      const changed = await withChange(
        invocation,
        async (client) => {
          const found = await findRoute(client, tenantId, name, { lock: true });
          const before = { ...found.route, destination: destinationOf(found.route) };
          const draft = draftRoute({ tenantId, name }, options, before);
          const { sealed, generated } = await newSecrets(found, draft, options, invocation);
          await saveRoute(client, found.route.routeId, { ...draft, secrets: sealed });
          const newSecret = sealed === found.secrets ? {} : { secrets: 'changed' };
          return { draft, generated, detail: { ...routeAuditDetail(draft, before), ...newSecret } };
        },
        ({ detail }) => ({ tenantId, action: 'route.change', target: name, detail }),
      );
      const { terminal } = invocation;
      if (invocation.json) {
        const secret = changed.generated === undefined ? {} : { signing_secret: changed.generated };
        terminal.out(toJson({ tenant_id: tenantId, name, ...secret }));
      } else {
        const secret =
          changed.generated === undefined
            ? ''
            : `\n\n  signing secret  ${changed.generated}\n\nKeep it: it is not shown again.`;
        terminal.out(`Changed route ${name} of tenant ${tenantId}.${secret}`);
      }
      if (options.webhook !== undefined || options.broker !== undefined)
        noteAddress(invocation, changed.draft.destination);
    },
  );
}

const secretOptions = ['signingSecret', 'unsigned', 'secretHeaders', 'password'] as const;

/** Where nothing of them changes, the key is not needed. */
async function newSecrets(
  found: RouteWithSecrets,
  draft: ReturnType<typeof draftRoute>,
  options: RouteOptions,
  invocation: Invocation,
): Promise<{ readonly sealed: Uint8Array | undefined } & Pick<NextSecrets, 'generated'>> {
  const sameKind = destinationOf(found.route).kind === draft.destination.kind;
  if (sameKind && secretOptions.every((name) => options[name] === undefined))
    return { sealed: found.secrets, generated: undefined };
  const before = sameKind ? openSecrets(found.secrets, draft, invocation) : undefined;
  const { secrets, generated } = await draftSecrets(draft.destination, options, before, invocation);
  return { sealed: sealSecrets(secrets, draft, invocation), generated };
}

export function addRouteEnable(route: Command, context: CliContext): void {
  defineRouteCommand(route, {
    usage: 'enable',
    summary: 'turn a route on again',
    details:
      'For messages accepted from now on. What came meanwhile: tributary route backfill; what died: tributary ' +
      'dead-letters replay.',
    examples: ['route enable acme alerts'],
  }).action(async (tenantId: TenantId, name: string, _options: unknown, self: Command) => {
    const invocation = invocationOf(context, self);
    await withChange(
      invocation,
      (client) => setRouteEnabled(client, tenantId, name, { enabled: true }),
      () => ({ tenantId, action: 'route.enable', target: name }),
    );
    tell(invocation, { tenantId, name, enabled: true }, `Route ${name} of tenant ${tenantId} is on.`);
  });
}

export function addRouteDisable(route: Command, context: CliContext): void {
  defineRouteCommand(route, {
    usage: 'disable',
    summary: 'turn a route off',
    details:
      'Messages accepted from now on pass it by. What waits for it becomes dead letters, ROUTE_DISABLED, and can be ' +
      'replayed when it is on again.',
    examples: ['route disable acme alerts', 'route disable acme alerts --reason "until they have moved"'],
  })
    .option('--reason <text>', 'shown by route show')
    .action(
      async (tenantId: TenantId, name: string, options: { readonly reason?: string }, self: Command) => {
        const invocation = invocationOf(context, self);
        if (options.reason?.trim() === '') throw usageError('--reason is empty: say why, or leave it out.');
        const { reason } = options;
        await withChange(
          invocation,
          (client) => setRouteEnabled(client, tenantId, name, { enabled: false, reason }),
          () => ({ tenantId, action: 'route.disable', target: name, detail: { reason } }),
        );
        tell(invocation, { tenantId, name, enabled: false }, `Route ${name} of tenant ${tenantId} is off.`);
      },
    );
}

export function addRouteRemove(route: Command, context: CliContext): void {
  defineRouteCommand(route, {
    usage: 'remove',
    summary: 'remove a route and its secrets',
    details: 'What waits for it becomes dead letters, ROUTE_REMOVED. Dead letters and counters stay.',
    examples: ['route remove acme alerts'],
  }).action(async (tenantId: TenantId, name: string, _options: unknown, self: Command) => {
    const invocation = invocationOf(context, self);
    await withChange(
      invocation,
      (client) => removeRoute(client, tenantId, name),
      () => ({ tenantId, action: 'route.delete', target: name }),
    );
    tell(invocation, { tenantId, name, removed: true }, `Removed route ${name} of tenant ${tenantId}.`);
  });
}

function tell(
  { terminal, json }: Invocation,
  { tenantId, ...rest }: { readonly tenantId: string; readonly [name: string]: unknown },
  sentence: string,
): void {
  terminal.out(json ? toJson({ tenant_id: tenantId, ...rest }) : sentence);
}

export function defineRouteCommand(route: Command, shape: CommandShape): Command {
  return defineCommand(route, shape)
    .argument('<tenant_id>', 'whose', parseTenantId)
    .argument('<name>', 'which', parseRouteName);
}
