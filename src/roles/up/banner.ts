import type { DemoDevice } from './demo.ts';
import type { Instance } from './instance.ts';

export interface BannerOptions {
  readonly instance: Instance;
  readonly dataDir: string;
  readonly logsDir: string;
  readonly demo: DemoDevice | undefined;
  /** Made in this start: shown once, later its file is named. */
  readonly newOperatorKey: string | undefined;
  /** What the user calls this program. */
  readonly callAs: string;
}

/** What the user reads when everything runs: where it is, lines to paste, where to go next. 80 columns. */
export function banner(options: BannerOptions): string {
  const { instance, dataDir, logsDir, demo, newOperatorKey, callAs } = options;
  const mqtt = new URL(instance.mqttUrl);
  const lines = [
    '',
    'Tributary is running. Ctrl-C stops it; its data stays.',
    '',
    `  HTTP        ${instance.httpUrl}`,
    `  MQTT        ${instance.mqttUrl}`,
    `  Console     ${instance.consoleUrl}`,
    ...signInLines(instance, newOperatorKey),
    `  NATS        ${withoutCredentials(instance.natsUrl)}`,
    `  PostgreSQL  ${withoutCredentials(instance.databaseUrl)}`,
    `  Data        ${dataDir}`,
    `  Logs        ${logsDir}`,
    '',
    ...(demo === undefined ? registerLines(callAs) : pasteLines(demo, instance.httpUrl, mqtt)),
    '',
    'Next:',
    '',
    ...nextLines(callAs, demo?.tenantId ?? 'acme'),
    '',
  ];
  return lines.join('\n');
}

function signInLines({ operatorKeyFile }: Instance, newKey: string | undefined): string[] {
  const where = `  Sign in     with the key in ${operatorKeyFile}`;
  return newKey === undefined ? [where] : [`${where}:`, `              ${newKey}`];
}

function nextLines(callAs: string, tenantId: string): string[] {
  const lines = [
    ['status', 'how the river flows'],
    [`telemetry --tenant ${tenantId}`, 'the last readings'],
    ['quarantine list', 'what was refused, and why'],
    ['simulate --devices 20', 'a fleet to look at'],
  ] as const;
  const width = Math.max(...lines.map(([command]) => command.length));
  return lines.map(([command, about]) => `  ${callAs} ${command.padEnd(width)} # ${about}`);
}

function registerLines(callAs: string): string[] {
  return [
    'Register a device:',
    '',
    `  ${callAs} tenant add acme`,
    `  ${callAs} device add acme sensor-1 --site plant-1`,
  ];
}

function pasteLines(demo: DemoDevice, httpUrl: string, mqtt: URL): string[] {
  const { tenantId, deviceId, siteId, token } = demo;
  const reading = `{"site_id":"${siteId}","metrics":{"temp_c":21.5}}`;
  const ids = `"tenant_id":"${tenantId}","device_id":"${deviceId}"`;
  return [
    'Send a reading, a batch, and one over MQTT (mosquitto_pub: mosquitto-clients):',
    '',
    "  curl -X POST -H 'Content-Type: application/json' \\",
    `    -H X-Provision-Token:${token} \\`,
    `    -d '${reading}' \\`,
    `    ${httpUrl}/ingest/v1/tenant/${tenantId}/device/${deviceId}/telemetry`,
    '',
    "  curl -X POST -H 'Content-Type: application/json' \\",
    `    -d '{"messages":[{${ids},`,
    `      "provision_token":"${token}",`,
    `      "site_id":"${siteId}","metrics":{"temp_c":21.7,"humidity_pct":40}}]}' \\`,
    `    ${httpUrl}/ingest/v1/batch`,
    '',
    `  mosquitto_pub -h ${mqtt.hostname} -p ${mqtt.port} -q 1 -u ${tenantId}/${deviceId} \\`,
    `    -P ${token} \\`,
    `    -t tenant/${tenantId}/device/${deviceId}/telemetry \\`,
    `    -m '${reading}'`,
  ];
}

function withoutCredentials(address: string): string {
  return address.replaceAll(/\/\/[^@/,]*@/g, '//');
}
