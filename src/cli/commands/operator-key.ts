import type { Command } from 'commander';
import { hashToken } from '../../model/token.ts';
import { addOperatorKey } from '../../store/registry/add-operator-key.ts';
import { listOperatorKeys } from '../../store/registry/list-operator-keys.ts';
import type { OperatorKey } from '../../store/registry/operator-keys.ts';
import { revokeOperatorKey } from '../../store/registry/revoke-operator-key.ts';
import { withChange } from '../audited.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, defineGroup, invocationOf } from '../define-command.ts';
import { printListing } from '../listing.ts';
import { formatAgo } from '../output/duration.ts';
import { toJson } from '../output/json.ts';
import { parseKeyName } from '../parsers.ts';
import { newOperatorKey } from '../secrets.ts';

export function addOperatorKeyCommands(program: Command, context: CliContext): void {
  const group = defineGroup(program, 'operator-key', {
    summary: 'make and revoke keys for operators’ requests',
    examples: ['operator-key add alice', 'operator-key list'],
  });
  addAdd(group, context);
  addList(group, context);
  addRevoke(group, context);
}

function addAdd(group: Command, context: CliContext): void {
  defineCommand(group, {
    usage: 'add',
    summary: 'make an operator key and show it, once',
    details: 'Requests carry it as `Authorization: Bearer …`. Only its SHA-256 is kept.',
    examples: ['operator-key add alice', 'operator-key add grafana --json'],
  })
    .argument('<name>', 'who or what uses it', parseKeyName)
    .action(async (name: string, _options: unknown, self: Command) => {
      const invocation = invocationOf(context, self);
      const key = newOperatorKey();
      await withChange(
        invocation,
        (client) => addOperatorKey(client, name, hashToken(key)),
        () => ({ action: 'operator_key.create', target: name }),
      );
      if (invocation.json) invocation.terminal.out(toJson({ name, key }));
      else invocation.terminal.out(`  key  ${key}\n\nKeep it: it is not shown again.`);
    });
}

function addList(group: Command, context: CliContext): void {
  defineCommand(group, {
    usage: 'list',
    summary: 'list operator keys',
    examples: ['operator-key list'],
  }).action(async (_options: unknown, self: Command) => {
    const invocation = invocationOf(context, self);
    const rows = await withDatabase(invocation, (pool) => listOperatorKeys(pool));
    const nowMs = context.clock();
    printListing(invocation, {
      rows,
      columns: [
        { title: 'NAME', value: (row) => row.name },
        { title: 'MADE', value: (row) => formatAgo(row.createdAt.getTime(), nowMs) },
        {
          title: 'REVOKED',
          value: (row) => (row.revokedAt === undefined ? 'no' : formatAgo(row.revokedAt.getTime(), nowMs)),
        },
      ],
      toJson: keyAsJson,
      empty: 'No operator keys yet. Make one: tributary operator-key add <name>',
    });
  });
}

function addRevoke(group: Command, context: CliContext): void {
  defineCommand(group, {
    usage: 'revoke',
    summary: 'take an operator key out of use',
    examples: ['operator-key revoke alice'],
  })
    .argument('<name>', 'as in the list', parseKeyName)
    .action(async (name: string, _options: unknown, self: Command) => {
      const invocation = invocationOf(context, self);
      const revoked = await withChange(
        invocation,
        (client) => revokeOperatorKey(client, name),
        ({ keyId }) => ({ action: 'operator_key.revoke', target: String(keyId), detail: { name } }),
      );
      if (invocation.json) invocation.terminal.out(toJson(keyAsJson(revoked)));
      else invocation.terminal.out(`Revoked operator key ${name}.`);
    });
}

function keyAsJson(key: OperatorKey): unknown {
  return { name: key.name, created_at: key.createdAt, revoked_at: key.revokedAt ?? null };
}
