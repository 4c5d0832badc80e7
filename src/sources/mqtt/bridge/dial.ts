import { readFileSync } from 'node:fs';
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { BrokerOptions } from './bridge-contract.ts';

const ports: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883 };

/**
 * Opens the connection to the broker. With TLS the certificate must be good for the URL's host.
 *
 * @throws Error that names the file, when one of the PEM files cannot be read
 */
export function dial({ url, tls }: BrokerOptions): Socket {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? (ports[url.protocol] ?? 1883) : Number(url.port);
  if (url.protocol !== 'mqtts:') return connectSocket({ host, port, noDelay: true, keepAlive: true });
  const [ca, cert, key] = [tls.ca, tls.cert, tls.key].map((path) =>
    path === undefined ? undefined : readFileSync(path),
  );
  return connectTls({
    host,
    port,
    // An address may not stand there (RFC 6066, section 3).
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
}
