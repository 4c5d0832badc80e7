import type { Config } from '../../config/settings.ts';
import type { QuarantineLimits } from '../../model/quarantine-limits.ts';

/** What all unknown tenants have together, as a part of one tenant's bytes. */
const unknownShare = 1 / 8;

export function quarantineLimits(config: Config): QuarantineLimits {
  const bytes = config.quarantineMaxBytesPerTenant;
  return {
    tenant: { rows: config.quarantineMaxPerTenant, bytes },
    unknown: { rows: config.quarantineMaxUnknown, bytes: Math.floor(bytes * unknownShare) },
  };
}
