import type { Command } from 'commander';
import type { TenantId } from '../../model/identifiers.ts';
import type { RouteSecrets } from '../../model/route-secrets.ts';
import { maxSigningSecrets, rotatedSecrets } from '../../model/signing-secret.ts';
import { saveRoute } from '../../store/registry/change-route.ts';
import { findRoute } from '../../store/registry/find-routes.ts';
import { withChange } from '../audited.ts';
import type { CliContext } from '../context.ts';
import { invocationOf } from '../define-command.ts';
import { CliError, usageError } from '../exit-codes.ts';
import { toJson } from '../output/json.ts';
import { bringSigningSecret } from '../route/draft-secrets.ts';
import { routeSettings } from '../route/route-options.ts';
import { openSecrets, sealSecrets } from '../route/secrets-key.ts';
import { destinationOf } from '../route/view.ts';
import { defineRouteCommand } from './route-change.ts';

interface Options {
  readonly signingSecret?: string;
  readonly finish?: boolean;
}

export function addRouteRotate(route: Command, context: CliContext): void {
  defineRouteCommand(route, {
    usage: 'rotate',
    summary: 'give a webhook a new signing secret, the old one counting beside it',
    details:
      'From now on each request carries a signature of the new secret and one of the old: the receiver can be changed ' +
      'over at any time. Then --finish takes the old one away.',
    examples: ['route rotate acme alerts', 'route rotate acme alerts --finish'],
    settings: routeSettings,
  })
    .option('--signing-secret <file>', 'file with a whsec_… secret, - for stdin; default: a new one')
    .option('--finish', 'sign with the newest secret alone')
    .action(async (tenantId: TenantId, name: string, options: Options, self: Command) => {
      const invocation = invocationOf(context, self);
      if (options.finish === true && options.signingSecret !== undefined)
        throw usageError('--finish brings no new secret: leave --signing-secret out.');
      const brought =
        options.finish === true ? undefined : await bringSigningSecret(options.signingSecret, context);
      const count = await withChange(
        invocation,
        async (client) => {
          const { route: found, secrets } = await findRoute(client, tenantId, name, { lock: true });
          const destination = destinationOf(found);
          if (destination.kind !== 'webhook')
            throw new CliError(`route ${name} is no webhook: only requests of webhooks are signed.`);
          const before = openSecrets(secrets, found, invocation);
          const signing = rotated(before, brought?.secret, name);
          const sealed = sealSecrets({ ...before, signing_secrets: signing }, found, invocation);
          await saveRoute(client, found.routeId, { ...found, destination, secrets: sealed });
          return signing.length;
        },
        () => ({
          tenantId,
          action: 'route.rotate-secret',
          target: name,
          detail: { finish: options.finish === true },
        }),
      );
      const { terminal } = invocation;
      const generated = brought?.generated;
      if (invocation.json) {
        const secret = generated === undefined ? {} : { signing_secret: generated };
        terminal.out(toJson({ tenant_id: tenantId, name, signing_secrets: count, ...secret }));
        return;
      }
      const secret =
        generated === undefined ? '' : `  signing secret  ${generated}\n\nKeep it: it is not shown again. `;
      const counting =
        count === 1
          ? 'Requests are signed with this secret alone.'
          : `Requests are signed with ${count} secrets.\nWhen the receiver has the new one: tributary route rotate ${tenantId} ${name} --finish`;
      terminal.out(`${secret}${counting}`);
    });
}

function rotated({ signing_secrets: before = [] }: RouteSecrets, secret: string | undefined, name: string) {
  const signing = rotatedSecrets(before, secret);
  if (signing.length === 0)
    throw new CliError(
      `route ${name} signs nothing: tributary route rotate without --finish gives it a secret.`,
    );
  if (signing.length > maxSigningSecrets)
    throw new CliError(
      `route ${name} signs with ${before.length} secrets already: --finish drops the old ones first.`,
    );
  return signing;
}
