import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { ConfigError } from '../../config/parse-config.ts';
import type { Config } from '../../config/settings.ts';
import type { BrokerOptions } from '../../sources/mqtt/bridge/mqtt-bridge.ts';

/**
 * The broker as the settings have it.
 *
 * @throws ConfigError with one sentence for what does not go together and for files that cannot be read
 */
export function bridgedBroker(config: Config): BrokerOptions {
  const url = urlOf(config);
  const tls = tlsFilesOf(config, url);
  return {
    url,
    username: config.bridgeUsername,
    password: config.bridgePassword,
    tls,
    version: config.bridgeMqttVersion,
    filter: config.bridgeFilter,
    group: config.bridgeShared ? config.bridgeGroup : undefined,
    receiveMaximum: config.bridgeInFlight,
    sessionExpirySeconds: config.bridgeSessionExpirySeconds,
  };
}

function tlsFilesOf(config: Config, url: URL): BrokerOptions['tls'] {
  const { bridgeTlsCa: ca, bridgeTlsCert: cert, bridgeTlsKey: key } = config;
  const paths = [ca, cert, key].filter((path) => path !== undefined);
  if (paths.length > 0 && url.protocol !== 'mqtts:')
    throw new ConfigError(
      'TRIBUTARY_BRIDGE_URL says mqtt, so the TLS files would not be used: make it mqtts://.',
    );
  if ((cert === undefined) !== (key === undefined)) {
    const both = 'TRIBUTARY_BRIDGE_TLS_CERT and TRIBUTARY_BRIDGE_TLS_KEY';
    throw new ConfigError(`${both} go together: set both or neither.`);
  }
  for (const path of paths) requireReadable(path);
  return { ca, cert, key };
}

function urlOf({ bridgeUrl }: Config): URL {
  if (bridgeUrl === undefined)
    throw new ConfigError('TRIBUTARY_BRIDGE_URL is not set: name the broker to read from, mqtt://host:1883.');
  const url = URL.canParse(bridgeUrl) ? new URL(bridgeUrl) : undefined;
  // Not shown: what does not parse may hold a password as well.
  if (url === undefined || !['mqtt:', 'mqtts:'].includes(url.protocol) || url.hostname === '')
    throw new ConfigError(
      'TRIBUTARY_BRIDGE_URL is no broker’s address: mqtt://host:1883 or mqtts://host:8883.',
    );
  if (url.username === '' && url.password === '') return url;
  const remedy = 'put them into TRIBUTARY_BRIDGE_USERNAME and TRIBUTARY_BRIDGE_PASSWORD';
  throw new ConfigError(`TRIBUTARY_BRIDGE_URL holds credentials: ${remedy}.`);
}

/**
 * A client id for each connection, the same after every restart.
 *
 * @throws ConfigError with one sentence
 */
export function bridgeClientIds({ bridgeClientId, bridgeConnections, bridgeShared }: Config): string[] {
  if (!bridgeShared && bridgeConnections > 1)
    throw new ConfigError(
      `TRIBUTARY_BRIDGE_SHARED=no with TRIBUTARY_BRIDGE_CONNECTIONS=${bridgeConnections}: each connection would get every message. Set it to 1.`,
    );
  const prefix = bridgeClientId ?? `tributary-bridge-${hostname()}`;
  return Array.from({ length: bridgeConnections }, (_, index) => `${prefix}-${index + 1}`);
}

function requireReadable(path: string): void {
  try {
    readFileSync(path);
  } catch (error) {
    throw new ConfigError(`${path} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}
