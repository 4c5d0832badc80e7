import type { Doors } from './types.ts';

export interface Sender {
  readonly tenant: string;
  readonly device: string;
  readonly site: string;
  readonly token: string;
  readonly doors: Doors;
}

export interface SendingLine {
  readonly label: string;
  readonly text: string;
}

/** Lines that send one reading as they are pasted. */
export function sendingLines(sender: Sender): SendingLine[] {
  const { mqtt } = sender.doors;
  return [
    { label: 'curl', text: curlLine(sender) },
    ...(mqtt === null ? [] : [{ label: 'mosquitto_pub', text: mosquittoLine(sender, mqtt) }]),
    { label: 'Python', text: pythonLines(sender) },
  ];
}

const bodyOf = ({ site }: Sender): string => `{"site_id":${JSON.stringify(site)},"metrics":{"temp_c":21.5}}`;

const urlOf = ({ doors, tenant, device }: Sender): string =>
  `${doors.http.replace(/\/$/, '')}/ingest/v1/tenant/${tenant}/device/${device}/telemetry`;

function curlLine(sender: Sender): string {
  return [
    "curl -X POST -H 'Content-Type: application/json' \\",
    `  -H 'X-Provision-Token: ${sender.token}' \\`,
    `  -d ${quoted(bodyOf(sender))} \\`,
    `  ${quoted(urlOf(sender))}`,
  ].join('\n');
}

function mosquittoLine(sender: Sender, mqtt: NonNullable<Doors['mqtt']>): string {
  const { tenant, device, token } = sender;
  return [
    `mosquitto_pub -h ${mqtt.host} -p ${mqtt.port}${mqtt.tls ? ' --tls-use-os-certs' : ''} -q 1 \\`,
    `  -u ${quoted(`${tenant}/${device}`)} -P ${quoted(token)} \\`,
    `  -t ${quoted(`tenant/${tenant}/device/${device}/telemetry`)} \\`,
    `  -m ${quoted(bodyOf(sender))}`,
  ].join('\n');
}

/** With nothing but Python's own library. */
function pythonLines(sender: Sender): string {
  return [
    'import json, urllib.request',
    '',
    'request = urllib.request.Request(',
    `    ${JSON.stringify(urlOf(sender))},`,
    `    data=json.dumps({"site_id": ${JSON.stringify(sender.site)}, "metrics": {"temp_c": 21.5}}).encode(),`,
    '    headers={',
    `        "X-Provision-Token": ${JSON.stringify(sender.token)},`,
    '        "Content-Type": "application/json",',
    '    },',
    ')',
    'print(urllib.request.urlopen(request).status)  # 202: accepted',
  ].join('\n');
}

/** For a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
