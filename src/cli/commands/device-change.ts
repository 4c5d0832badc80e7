import type { Command } from 'commander';
import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import { hashToken } from '../../model/token.ts';
import { deleteDevice } from '../../store/registry/delete-device.ts';
import { revokeDevice } from '../../store/registry/revoke-device.ts';
import { rotateToken } from '../../store/registry/rotate-token.ts';
import { setDeviceLimits } from '../../store/registry/set-device-limits.ts';
import { showDevice } from '../../store/registry/show-device.ts';
import type { DeviceLimits, LimitChanges } from '../../store/registry/types.ts';
import { insertNote, withChange } from '../audited.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { type CommandShape, defineCommand, invocationOf } from '../define-command.ts';
import { deviceAsJson } from '../device-view.ts';
import { formatAgo, parseDuration } from '../output/duration.ts';
import { inTableWords, toJson } from '../output/json.ts';
import { describeLimit } from '../output/limit.ts';
import { formatCount } from '../output/number.ts';
import {
  type LimitOption,
  limitChange,
  orDefault,
  parseDeviceId,
  parseTenantId,
  positiveNumber,
  wholeNumber,
} from '../parsers.ts';
import { newDeviceToken, tokenFromOption } from '../secrets.ts';

interface RotateOptions {
  readonly grace: number;
  readonly token?: string;
}
interface LimitOptions {
  readonly rate?: LimitOption;
  readonly burst?: LimitOption;
  readonly maxSensors?: LimitOption;
}

export function addDeviceRotate(device: Command, context: CliContext): void {
  defineDeviceCommand(device, {
    usage: 'rotate',
    summary: 'give a device a new token',
    details: 'With --grace the old token stays valid for that time, so that the device can be changed over.',
    examples: ['device rotate acme sensor-1 --grace 24h', 'device rotate acme sensor-1 --json'],
  })
    .option('--grace <duration>', 'the old token stays valid so long: 15m, 24h, 7d', parseDuration, 0)
    .option('--token <token>', 'the new token, - from standard input; default: a random one')
    .action(async (tenantId: TenantId, deviceId: DeviceId, options: RotateOptions, self: Command) => {
      const invocation = invocationOf(context, self);
      const token =
        options.token === undefined
          ? newDeviceToken()
          : await tokenFromOption(options.token, context.readStdin);
      const { grace: graceMs } = options;
      const { previousTokenUntil } = await withChange(
        invocation,
        (client) => rotateToken(client, tenantId, deviceId, { tokenSha256: hashToken(token), graceMs }),
        () => ({ tenantId, action: 'device.rotate', target: deviceId, detail: { grace_ms: graceMs } }),
      );
      if (invocation.json) {
        const shown = { tenant_id: tenantId, device_id: deviceId, token };
        invocation.terminal.out(toJson({ ...shown, previous_token_until: previousTokenUntil ?? null }));
        return;
      }
      const old =
        previousTokenUntil === undefined
          ? 'The old token is no longer valid.'
          : `The old token is valid until ${previousTokenUntil.toISOString()} (${formatAgo(previousTokenUntil.getTime(), context.clock())}).`;
      invocation.terminal.out(`  token  ${token}\n\nKeep it: it is not shown again. ${old}`);
    });
}

export function addDeviceRevoke(device: Command, context: CliContext): void {
  defineDeviceCommand(device, {
    usage: 'revoke',
    summary: 'accept nothing more from a device',
    details: 'Its messages are quarantined as DEVICE_REVOKED within a second. Its data stays.',
    examples: ['device revoke acme sensor-1'],
  }).action(async (tenantId: TenantId, deviceId: DeviceId, _options: unknown, self: Command) => {
    const invocation = invocationOf(context, self);
    const revokedAt = await withChange(
      invocation,
      (client) => revokeDevice(client, tenantId, deviceId),
      () => ({ tenantId, action: 'device.revoke', target: deviceId }),
    );
    const shown = { tenant_id: tenantId, device_id: deviceId, revoked_at: revokedAt };
    if (invocation.json) invocation.terminal.out(toJson(shown));
    else invocation.terminal.out(`Revoked device ${deviceId} of tenant ${tenantId}.`);
  });
}

export function addDeviceDelete(device: Command, context: CliContext): void {
  defineDeviceCommand(device, {
    usage: 'delete',
    summary: 'take a device out of the registry',
    details: 'Its readings stay unless --with-data takes them too: telemetry, sensors, state, quarantine.',
    examples: ['device delete acme sensor-1', 'device delete acme sensor-1 --with-data'],
  })
    .option('--with-data', 'delete what it sent, too; cannot be undone')
    .action(
      async (
        tenantId: TenantId,
        deviceId: DeviceId,
        options: { readonly withData?: boolean },
        self: Command,
      ) => {
        const invocation = invocationOf(context, self);
        const { terminal } = invocation;
        const withData = options.withData === true;
        const deleted = await withDatabase(invocation, (pool) =>
          deleteDevice(pool, tenantId, deviceId, {
            withData,
            onUnregistered: async (db, registered) => {
              const detail = { with_data: withData, registered };
              await insertNote(db, invocation, {
                tenantId,
                action: 'device.delete',
                target: deviceId,
                detail,
              });
            },
            onProgress: (rows) => terminal.progress(`${formatCount(rows)} readings deleted …`),
          }),
        );
        if (invocation.json) {
          const shown = { tenant_id: tenantId, device_id: deviceId, telemetry_rows: deleted.telemetryRows };
          terminal.out(toJson(shown));
          return;
        }
        const data = withData ? ` and ${formatCount(deleted.telemetryRows)} readings` : '; its data stays';
        terminal.out(`Deleted device ${deviceId} of tenant ${tenantId}${data}.`);
      },
    );
}

export function addDeviceLimits(device: Command, context: CliContext): void {
  defineDeviceCommand(device, {
    usage: 'limits',
    summary: 'show or set the limits of one device',
    details: '`default` takes a limit away again: then the tenant’s, or the installation’s, holds.',
    examples: [
      'device limits acme sensor-1 --rate 50 --burst 200',
      'device limits acme sensor-1 --rate default',
    ],
  })
    .option('--rate <n|default>', 'messages per second', orDefault(positiveNumber(10_000_000)))
    .option('--burst <n|default>', 'messages in burst / rate seconds', orDefault(wholeNumber(1, 100_000_000)))
    .option('--max-sensors <n|default>', 'sensors discovered at most', orDefault(wholeNumber(0, 100_000)))
    .action(async (tenantId: TenantId, deviceId: DeviceId, options: LimitOptions, self: Command) => {
      const invocation = invocationOf(context, self);
      const changes = limitsOf(options);
      const isChange = Object.keys(changes).length > 0;
      const found = await withChange(
        invocation,
        async (client) => {
          if (isChange) await setDeviceLimits(client, tenantId, deviceId, changes);
          return showDevice(client, tenantId, deviceId);
        },
        () =>
          isChange
            ? { tenantId, action: 'device.change', target: deviceId, detail: inTableWords(changes) }
            : undefined,
      );
      if (invocation.json) invocation.terminal.out(toJson(deviceAsJson(found)));
      else {
        invocation.terminal.out(
          `Device ${deviceId} of tenant ${tenantId}: ${describeLimit(found.ratePerSecond, found.burst)}; ` +
            `${found.maxSensors ?? 'default'} sensors at most.`,
        );
      }
    });
}

function limitsOf(options: LimitOptions): LimitChanges<DeviceLimits> {
  return {
    ...limitChange('ratePerSecond', options.rate),
    ...limitChange('burst', options.burst),
    ...limitChange('maxSensors', options.maxSensors),
  };
}

function defineDeviceCommand(device: Command, shape: CommandShape): Command {
  return defineCommand(device, shape)
    .argument('<tenant_id>', 'whose device', parseTenantId)
    .argument('<device_id>', 'which', parseDeviceId);
}
