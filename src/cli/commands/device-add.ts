import type { Command } from 'commander';
import { type DeviceId, ingestTopic, type TenantId } from '../../model/identifiers.ts';
import { hashToken } from '../../model/token.ts';
import { addDevice } from '../../store/registry/add-device.ts';
import { withChange } from '../audited.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, type Invocation, invocationOf } from '../define-command.ts';
import { findInstance } from '../locate.ts';
import { toJson } from '../output/json.ts';
import { parseDeviceId, parseSiteId, parseTenantId, positiveNumber, wholeNumber } from '../parsers.ts';
import { newDeviceToken, tokenFromOption } from '../secrets.ts';

interface Options {
  readonly site: string;
  readonly token?: string;
  readonly rate?: number;
  readonly burst?: number;
  readonly maxSensors?: number;
}

export function addDeviceAdd(device: Command, context: CliContext): void {
  defineCommand(device, {
    usage: 'add',
    summary: 'register a device and show its token, once',
    details:
      'Only the SHA-256 of the token is kept. --token brings a token that the device has ' +
      'already; `--token -` reads it from standard input.',
    examples: ['device add acme sensor-1 --site plant-1', 'device add acme sensor-1 --site plant-1 --json'],
  })
    .argument('<tenant_id>', 'whose device', parseTenantId)
    .argument('<device_id>', 'letters, digits, . _ : and -; 128 at most', parseDeviceId)
    .requiredOption('--site <site_id>', 'where it is; its messages must name the same', parseSiteId)
    .option('--token <token>', 'an existing token; default: a new one')
    .option('--rate <n>', 'messages per second, unlike the tenant’s devices', positiveNumber(10_000_000))
    .option('--burst <n>', 'messages in burst / rate seconds', wholeNumber(1, 100_000_000))
    .option('--max-sensors <n>', 'sensors discovered at most', wholeNumber(0, 100_000))
    .action(async (tenantId: TenantId, deviceId: DeviceId, options: Options, self: Command) => {
      const invocation = invocationOf(context, self);
      const token =
        options.token === undefined
          ? newDeviceToken()
          : await tokenFromOption(options.token, context.readStdin);
      const { site: siteId, rate: ratePerSecond, burst, maxSensors } = options;
      const tokenSha256 = hashToken(token);
      await withChange(
        invocation,
        (client) =>
          addDevice(client, tenantId, { deviceId, siteId, tokenSha256, ratePerSecond, burst, maxSensors }),
        () => ({
          tenantId,
          action: 'device.create',
          target: deviceId,
          detail: { site_id: siteId, rate_per_second: ratePerSecond, burst, max_sensors: maxSensors },
        }),
      );
      if (invocation.json) {
        const shown = { tenant_id: tenantId, device_id: deviceId, site_id: options.site, token };
        invocation.terminal.out(toJson(shown));
      } else describe(invocation, tenantId, deviceId, options, token);
    });
}

function describe(
  invocation: Invocation,
  tenantId: TenantId,
  deviceId: DeviceId,
  options: Options,
  token: string,
): void {
  const httpUrl = findInstance(invocation.config)?.value.httpUrl ?? 'http://localhost:8080';
  const body = JSON.stringify({ site_id: options.site, metrics: { temp: 22 } }).replaceAll("'", "'\\''");
  invocation.terminal.out(
    [
      `Registered device ${deviceId} of tenant ${tenantId} at site ${options.site}.`,
      '',
      `  token  ${token}`,
      '',
      'Keep it: it is not shown again. A first message:',
      '',
      "  curl -X POST -H 'Content-Type: application/json' \\",
      `    -H 'X-Provision-Token: ${token.replaceAll("'", "'\\''")}' \\`,
      `    -d '${body}' \\`,
      `    ${httpUrl}/ingest/v1/${ingestTopic(tenantId, deviceId, 'telemetry')}`,
    ].join('\n'),
  );
}
