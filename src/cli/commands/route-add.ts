import type { Command } from 'commander';
import type { TenantId } from '../../model/identifiers.ts';
import { addRoute } from '../../store/registry/add-route.ts';
import type { StoredRoute } from '../../store/registry/route-row.ts';
import { withChange } from '../audited.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, type Invocation, invocationOf } from '../define-command.ts';
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
import { sealSecrets } from '../route/secrets-key.ts';
import { describeDestination, destinationOf, routeAsJson } from '../route/view.ts';

type Options = RouteOptions & { readonly disabled?: boolean };

export function addRouteAdd(route: Command, context: CliContext): void {
  const command = defineCommand(route, {
    usage: 'add',
    summary: 'make a route',
    details:
      'It sends every message accepted from now on that its filter and its condition match. A webhook is signed as ' +
      'Standard Webhooks says; the secret is made here and shown once, unless you bring one. Secrets are read from ' +
      'files or standard input. docs/routes.md has the rest.',
    examples: [
      'route add acme all --webhook https://example.org/hook',
      `route add acme hot -c 'metrics.t > 30' --webhook https://a.example`,
      `route add acme off --on status --mqtt 'tenant/acme/out/{device_id}'`,
      `route add acme copy --nats 'out.{tenant_id}.{device_id}'`,
    ],
    settings: [...routeSettings, 'routesPerTenant'],
  })
    .argument('<tenant_id>', 'whose messages', parseTenantId)
    .argument('<name>', 'letters, digits, . _ and -; 64 at most', parseRouteName);
  addSecretOptions(addRouteOptions(command))
    .option('--disabled', 'do not start it yet')
    .action(async (tenantId: TenantId, name: string, options: Options, self: Command) => {
      const invocation = invocationOf(context, self);
      const draft = { ...draftRoute({ tenantId, name }, options), enabled: options.disabled !== true };
      const { secrets, generated } = await draftSecrets(draft.destination, options, undefined, context);
      const sealed = sealSecrets(secrets, draft, invocation);
      const made = await withChange(
        invocation,
        (client) => addRoute(client, { ...draft, secrets: sealed }, invocation.config.routesPerTenant),
        () => ({ tenantId, action: 'route.create', target: name, detail: routeAuditDetail(draft) }),
      );
      describe(invocation, made, generated);
      noteAddress(invocation, draft.destination);
    });
}

function describe({ terminal, json }: Invocation, route: StoredRoute, generated: string | undefined): void {
  if (json) {
    terminal.out(
      toJson({ ...routeAsJson(route), ...(generated === undefined ? {} : { signing_secret: generated }) }),
    );
    return;
  }
  const { tenantId, name } = route;
  const secret =
    generated === undefined
      ? []
      : ['', `  signing secret  ${generated}`, '', 'Keep it: it is not shown again.'];
  terminal.out(
    [
      `Added route ${name} of tenant ${tenantId}, to ${describeDestination(destinationOf(route))}.`,
      ...secret,
      `What it sends of the last messages: tributary route test ${tenantId} ${name}`,
    ].join('\n'),
  );
}
