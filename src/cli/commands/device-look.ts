import type { Command } from 'commander';
import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import { listDevices } from '../../store/registry/list-devices.ts';
import { tenantNotFound } from '../../store/registry/registry-error.ts';
import { selectTenants } from '../../store/registry/select-tenants.ts';
import { showDevice } from '../../store/registry/show-device.ts';
import type { Device, DeviceStatus } from '../../store/registry/types.ts';
import type { Queryable } from '../../store/statements/queryable.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, invocationOf } from '../define-command.ts';
import { deviceAsJson, deviceColumns, deviceFields } from '../device-view.ts';
import { printListing } from '../listing.ts';
import { toJson } from '../output/json.ts';
import { formatFields } from '../output/table.ts';
import { choice, parseDeviceId, parseTenantId, wholeNumber } from '../parsers.ts';

interface ListOptions {
  readonly tenant?: TenantId;
  readonly site?: string;
  readonly status?: DeviceStatus;
  readonly limit: number;
}

const pageSize = 1_000;

export function addDeviceList(device: Command, context: CliContext): void {
  defineCommand(device, {
    usage: 'list',
    summary: 'list devices with their status',
    examples: ['device list --tenant acme', 'device list --status OFFLINE --json'],
  })
    .option('-t, --tenant <tenant_id>', 'of this tenant only', parseTenantId)
    .option('--site <site_id>', 'at this site only')
    .option('--status <status>', 'ONLINE, STALE or OFFLINE', choice(['ONLINE', 'STALE', 'OFFLINE']))
    .option('-n, --limit <n>', 'so many at most', wholeNumber(1, 10_000_000), 100)
    .action(async (options: ListOptions, self: Command) => {
      const invocation = invocationOf(context, self);
      const rows = await withDatabase(invocation, (pool) => selectDevices(pool, options));
      printListing(invocation, {
        rows,
        columns: deviceColumns(options.tenant === undefined, context.clock()),
        toJson: deviceAsJson,
        limit: options.limit,
        empty: 'No such devices. Register one: tributary device add <tenant_id> <device_id> --site <site_id>',
      });
    });
}

async function selectDevices(db: Queryable, options: ListOptions): Promise<Device[]> {
  const { tenant, site: siteId, status, limit } = options;
  const tenants = tenant === undefined ? (await selectTenants(db)).map((each) => each.tenantId) : [tenant];
  const found: Device[] = [];
  for (const tenantId of tenants) {
    let afterDeviceId: string | undefined;
    while (found.length < limit) {
      const wanted = Math.min(pageSize, limit - found.length);
      const page = await listDevices(db, tenantId, { afterDeviceId, limit: wanted, siteId, status });
      found.push(...page);
      afterDeviceId = page.at(-1)?.deviceId;
      if (page.length < wanted) break;
    }
  }
  if (tenant !== undefined && found.length === 0) await requireTenant(db, tenant);
  return found;
}

async function requireTenant(db: Queryable, tenantId: TenantId): Promise<void> {
  const tenants = await selectTenants(db);
  if (!tenants.some((each) => each.tenantId === tenantId)) throw tenantNotFound(tenantId);
}

export function addDeviceShow(device: Command, context: CliContext): void {
  defineCommand(device, {
    usage: 'show',
    summary: 'show one device',
    examples: ['device show acme sensor-1'],
  })
    .argument('<tenant_id>', 'whose device', parseTenantId)
    .argument('<device_id>', 'which', parseDeviceId)
    .action(async (tenantId: TenantId, deviceId: DeviceId, _options: unknown, self: Command) => {
      const invocation = invocationOf(context, self);
      const found = await withDatabase(invocation, (pool) => showDevice(pool, tenantId, deviceId));
      const { sensors, lastMsgType } = found;
      if (invocation.json) {
        invocation.terminal.out(toJson(deviceAsJson(found)));
        return;
      }
      const fields = deviceFields(found, context.clock());
      invocation.terminal.out(
        formatFields([
          ...fields,
          ['last message', lastMsgType ?? 'none yet'],
          [
            'sensors',
            sensors === 0 ? 'none yet' : `${sensors}: tributary sensors -t ${tenantId} -d ${deviceId}`,
          ],
        ]),
      );
    });
}
