import type { Command } from 'commander';
import { type Level, levels } from '../../model/actor.ts';
import type { TenantId } from '../../model/identifiers.ts';
import { hashToken } from '../../model/token.ts';
import {
  addTenantKey,
  listTenantKeys,
  revokeTenantKey,
  type TenantKey,
} from '../../store/console/tenant-keys.ts';
import { withChange } from '../audited.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, defineGroup, invocationOf } from '../define-command.ts';
import { printListing } from '../listing.ts';
import { formatAgo, parseDuration } from '../output/duration.ts';
import { toJson } from '../output/json.ts';
import { choice, parseKeyName, parseTenantId } from '../parsers.ts';
import { newTenantKey } from '../secrets.ts';

export function addKeyCommands(program: Command, context: CliContext): void {
  const group = defineGroup(program, 'key', {
    summary: 'make and revoke keys of tenants for the API and the console',
    examples: ['key add acme dashboard --level read', 'key list acme'],
  });
  addAdd(group, context);
  addList(group, context);
  addRevoke(group, context);
}

interface AddOptions {
  readonly level: Level;
  readonly expires?: number;
}

function addAdd(group: Command, context: CliContext): void {
  defineCommand(group, {
    usage: 'add',
    summary: 'make a key of a tenant and show it, once',
    details:
      'It reaches that tenant only: read looks, write also changes devices, quarantine and ' +
      'routes, admin also makes keys. Requests carry it as `Authorization: Bearer …`; people ' +
      'sign in to the console with it. Only its SHA-256 is kept.',
    examples: ['key add acme dashboard', 'key add acme alice --level admin --expires 90d --json'],
  })
    .argument('<tenant_id>', 'whose key', parseTenantId)
    .argument('<name>', 'who or what uses it', parseKeyName)
    .option('--level <level>', 'read, write or admin', choice(levels), 'read')
    .option('--expires <duration>', 'it ends after so long: 24h, 90d; default: never', parseDuration)
    .action(async (tenantId: TenantId, name: string, options: AddOptions, self: Command) => {
      const invocation = invocationOf(context, self);
      const key = newTenantKey();
      const { level, expires } = options;
      const expiresAt = expires === undefined ? undefined : new Date(context.clock() + expires).toISOString();
      const made = await withChange(
        invocation,
        (client) => addTenantKey(client, tenantId, { name, level, keySha256: hashToken(key), expiresAt }),
        () => ({
          tenantId,
          action: 'key.create',
          target: name,
          detail: { level, expires_at: expiresAt },
        }),
      );
      if (invocation.json) invocation.terminal.out(toJson({ tenant_id: tenantId, ...made, key }));
      else invocation.terminal.out(`  key  ${key}\n\nKeep it: it is not shown again.`);
    });
}

function addList(group: Command, context: CliContext): void {
  defineCommand(group, {
    usage: 'list',
    summary: 'list the keys of a tenant',
    examples: ['key list acme'],
  })
    .argument('<tenant_id>', 'whose keys', parseTenantId)
    .action(async (tenantId: TenantId, _options: unknown, self: Command) => {
      const invocation = invocationOf(context, self);
      const rows = await withDatabase(invocation, (pool) => listTenantKeys(pool, tenantId));
      const nowMs = context.clock();
      printListing(invocation, {
        rows,
        columns: [
          { title: 'NAME', value: (row) => row.name },
          { title: 'LEVEL', value: (row) => row.level },
          { title: 'MADE', value: (row) => formatAgo(row.created_at.getTime(), nowMs) },
          { title: 'STATE', value: (row) => stateOf(row, nowMs) },
        ],
        toJson: (row) => row,
        empty: `No keys yet. Make one: tributary key add ${tenantId} <name>`,
      });
    });
}

function addRevoke(group: Command, context: CliContext): void {
  defineCommand(group, {
    usage: 'revoke',
    summary: 'take a key out of use, with the sessions that it opened',
    examples: ['key revoke acme dashboard'],
  })
    .argument('<tenant_id>', 'whose key', parseTenantId)
    .argument('<name>', 'as in the list', parseKeyName)
    .action(async (tenantId: TenantId, name: string, _options: unknown, self: Command) => {
      const invocation = invocationOf(context, self);
      const revoked = await withChange(
        invocation,
        (client) => revokeTenantKey(client, tenantId, { name }),
        ({ key_id: keyId, level }) => ({
          tenantId,
          action: 'key.revoke',
          target: String(keyId),
          detail: { name, level },
        }),
      );
      if (invocation.json) invocation.terminal.out(toJson(revoked));
      else invocation.terminal.out(`Revoked key ${name} of tenant ${tenantId}.`);
    });
}

function stateOf({ revoked_at: revokedAt, expires_at: expiresAt }: TenantKey, nowMs: number): string {
  if (revokedAt !== null) return `revoked ${formatAgo(revokedAt.getTime(), nowMs)}`;
  if (expiresAt === null) return 'valid';
  const when = formatAgo(expiresAt.getTime(), nowMs);
  return expiresAt.getTime() > nowMs ? `valid, ends ${when}` : `ended ${when}`;
}
