import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import type { Config } from '../../config/settings.ts';
import { connectNats, type NatsSecurity } from '../../stream/connection.ts';
import { readSettingFile } from '../process/setting-file.ts';

export interface DialOptions {
  readonly config: Config;
  readonly url: string;
  /** `gateway`, `worker`: the connection's name, and where its answers arrive. */
  readonly role: string;
  readonly log: Logger;
}

/**
 * Prepares the connection of a role; each call of what it returns is one attempt.
 * @throws Error with one sentence for a certificate or credentials that cannot be read
 */
export function natsDial({ config, url, role, log }: DialOptions): () => Promise<NatsConnection> {
  const security = readNatsSecurity(config);
  return () =>
    connectNats({ url, name: `tributary ${role}`, inboxPrefix: inboxPrefixOf(role), security, log });
}

/** Below the client's own, so that permissions for `_INBOX.>` fit, too. */
export function inboxPrefixOf(role: string): string {
  return `_INBOX.${role}`;
}

function readNatsSecurity(config: Config): NatsSecurity {
  if ((config.natsCert === undefined) !== (config.natsKey === undefined))
    throw new Error('TRIBUTARY_NATS_CERT and TRIBUTARY_NATS_KEY belong together: set both or neither.');
  return {
    creds: readSettingFile(config, 'natsCreds'),
    ca: readSettingFile(config, 'natsCa')?.toString(),
    cert: readSettingFile(config, 'natsCert')?.toString(),
    key: readSettingFile(config, 'natsKey')?.toString(),
  };
}
