import { usageError } from '../exit-codes.ts';

/** Where the fleet reports to. */
export interface Target {
  readonly httpUrl: string;
  readonly mqttUrl: string;
}

/** A simulated fleet is a load, so it stays on this machine unless told otherwise. @throws CliError */
export function checkTarget(target: Target, allowRemote: boolean): Target {
  for (const url of [target.httpUrl, target.mqttUrl]) {
    if (!URL.canParse(url)) throw usageError(`${JSON.stringify(url)} is not a URL.`);
    if (allowRemote || isLoopback(new URL(url).hostname)) continue;
    throw usageError(`${url} is not on this machine: a simulated fleet goes there only with --allow-remote.`);
  }
  return target;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
