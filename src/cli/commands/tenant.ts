import type { Command } from 'commander';
import type { TenantId } from '../../model/identifiers.ts';
import { addTenant } from '../../store/registry/add-tenant.ts';
import { selectTenants } from '../../store/registry/select-tenants.ts';
import { setTenantLimits } from '../../store/registry/set-tenant-limits.ts';
import type { LimitChanges, Tenant, TenantLimits } from '../../store/registry/types.ts';
import { withChange } from '../audited.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, defineGroup, invocationOf } from '../define-command.ts';
import { CliError } from '../exit-codes.ts';
import { printListing } from '../listing.ts';
import { formatAgo } from '../output/duration.ts';
import { inTableWords, toJson } from '../output/json.ts';
import { describeLimit } from '../output/limit.ts';
import { formatCount } from '../output/number.ts';
import type { Column } from '../output/table.ts';
import {
  type LimitOption,
  limitChange,
  orDefault,
  parseTenantId,
  positiveNumber,
  wholeNumber,
} from '../parsers.ts';

const rate = orDefault(positiveNumber(10_000_000));
const burst = orDefault(wholeNumber(1, 100_000_000));

interface LimitOptions {
  readonly rate?: LimitOption;
  readonly burst?: LimitOption;
  readonly deviceRate?: LimitOption;
  readonly deviceBurst?: LimitOption;
}

export function addTenantCommands(program: Command, context: CliContext): void {
  const tenant = defineGroup(program, 'tenant', {
    summary: 'add and list tenants, set their limits',
    examples: ['tenant add acme', 'tenant list'],
  });
  addAdd(tenant, context);
  addList(tenant, context);
  addLimits(tenant, context);
}

function addAdd(tenant: Command, context: CliContext): void {
  const command = defineCommand(tenant, {
    usage: 'add',
    summary: 'add a tenant',
    examples: ['tenant add acme', "tenant add acme --name 'Acme Ltd' --rate 10000 --burst 40000"],
  })
    .argument('<tenant_id>', 'a letter or digit, then letters, digits, _ and -; 64 at most', parseTenantId)
    .option('--name <text>', 'for people to read', '');
  withLimitOptions(command).action(
    async (tenantId: TenantId, options: LimitOptions & { readonly name: string }, self: Command) => {
      const invocation = invocationOf(context, self);
      const limits = limitsOf(options);
      const { name } = options;
      await withChange(
        invocation,
        (client) =>
          addTenant(client, tenantId, {
            name,
            ratePerSecond: limits.ratePerSecond ?? undefined,
            burst: limits.burst ?? undefined,
            deviceRatePerSecond: limits.deviceRatePerSecond ?? undefined,
            deviceBurst: limits.deviceBurst ?? undefined,
          }),
        () => ({
          action: 'tenant.create',
          target: tenantId,
          detail: { name, ...inTableWords(limits) },
        }),
      );
      if (invocation.json) invocation.terminal.out(toJson({ tenant_id: tenantId, name }));
      else {
        invocation.terminal.out(
          `Added tenant ${tenantId}. Next: tributary device add ${tenantId} <device_id> --site <site_id>`,
        );
      }
    },
  );
}

function addList(tenant: Command, context: CliContext): void {
  defineCommand(tenant, {
    usage: 'list',
    summary: 'list all tenants',
    examples: ['tenant list', 'tenant list --json'],
  }).action(async (_options: unknown, self: Command) => {
    const invocation = invocationOf(context, self);
    const rows = await withDatabase(invocation, (pool) => selectTenants(pool));
    printListing(invocation, {
      rows,
      columns: tenantColumns(context.clock()),
      toJson: inTableWords,
      empty: 'No tenants yet. Add one: tributary tenant add <tenant_id>',
    });
  });
}

function addLimits(tenant: Command, context: CliContext): void {
  const command = defineCommand(tenant, {
    usage: 'limits',
    summary: 'show or set the rate limits of a tenant and of its devices',
    details:
      'Each limit is a rate in messages per second and a burst: so many messages in any ' +
      '`burst / rate` seconds. Without options the present limits are shown. A device may ' +
      'have limits of its own: tributary device limits.',
    examples: [
      'tenant limits acme',
      'tenant limits acme --rate 10000 --burst 40000',
      'tenant limits acme --rate default',
    ],
  }).argument('<tenant_id>', 'whose limits', parseTenantId);
  withLimitOptions(command).action(async (tenantId: TenantId, options: LimitOptions, self: Command) => {
    const invocation = invocationOf(context, self);
    const changes = limitsOf(options);
    const isChange = Object.keys(changes).length > 0;
    const found = await withChange(
      invocation,
      async (client) => {
        if (isChange) await setTenantLimits(client, tenantId, changes);
        return (await selectTenants(client, { tenantId }))[0];
      },
      () =>
        isChange
          ? { tenantId, action: 'tenant.change', target: tenantId, detail: inTableWords(changes) }
          : undefined,
    );
    if (found === undefined) {
      throw new CliError(`There is no tenant ${tenantId}: tributary tenant list shows those there are.`);
    }
    if (invocation.json) invocation.terminal.out(toJson(inTableWords(found)));
    else {
      invocation.terminal.out(
        `Tenant ${tenantId}: ${describeLimit(found.ratePerSecond, found.burst)}; ` +
          `each device: ${describeLimit(found.deviceRatePerSecond, found.deviceBurst)}.`,
      );
    }
  });
}

function withLimitOptions(command: Command): Command {
  return command
    .option('--rate <n|default>', 'messages per second of the whole tenant', rate)
    .option('--burst <n|default>', 'messages of the tenant in burst / rate seconds', burst)
    .option('--device-rate <n|default>', 'messages per second of each device', rate)
    .option('--device-burst <n|default>', 'messages of each device in burst / rate seconds', burst);
}

function limitsOf(options: LimitOptions): LimitChanges<TenantLimits> {
  return {
    ...limitChange('ratePerSecond', options.rate),
    ...limitChange('burst', options.burst),
    ...limitChange('deviceRatePerSecond', options.deviceRate),
    ...limitChange('deviceBurst', options.deviceBurst),
  };
}

function tenantColumns(nowMs: number): Column<Tenant>[] {
  return [
    { title: 'TENANT', value: (row) => row.tenantId },
    { title: 'NAME', value: (row) => (row.name === '' ? undefined : row.name), minimum: 8 },
    { title: 'DEVICES', value: (row) => formatCount(row.devices), align: 'right' },
    { title: 'LIMIT', value: (row) => describeLimit(row.ratePerSecond, row.burst) },
    { title: 'EACH DEVICE', value: (row) => describeLimit(row.deviceRatePerSecond, row.deviceBurst) },
    { title: 'ADDED', value: (row) => formatAgo(row.createdAt.getTime(), nowMs) },
  ];
}
