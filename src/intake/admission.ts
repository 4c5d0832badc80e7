import type { RefusalCode } from '../model/errors.ts';
import type { RegisteredDevice, RegistryView } from '../model/registry.ts';
import { equalHash, hashToken } from '../model/token.ts';
import { createTokenBucket } from './token-bucket.ts';

/** The registry as a door sees it. */
export interface DoorRegistry extends RegistryView {
  /** false: it may be out of date, and nobody is turned away on its word. */
  readonly fresh: boolean;
}

export interface Applicant {
  readonly tenantId: string;
  readonly deviceId: string;
  /** As sent; empty without one. */
  readonly token: string;
}

export interface Turned {
  readonly refusal: Extract<RefusalCode, 'token_refused' | 'device_revoked' | 'unknown_tenant_limit'>;
  /** Whole seconds, 1…60; with `unknown_tenant_limit`. */
  readonly retryAfterSeconds?: number;
}

export interface Admission {
  /** Undefined: come in. Synchronous, since it stands on every message's path. */
  admit(applicant: Applicant): Turned | undefined;
}

export interface AdmissionOptions {
  /** Undefined where a door has no database: everybody comes in, and the worker judges. */
  readonly registry: DoorRegistry | undefined;
  /** Check tokens at the door; otherwise only the worker does. Needs a registry that holds devices. */
  readonly syncAuth: boolean;
  /** What all unknown tenants share. */
  readonly unknownTenantRate: number;
  readonly unknownTenantBurst: number;
  /** Milliseconds, monotonic: the bucket of the unknown fills up by it. */
  readonly now: () => number;
  /** Milliseconds since the epoch: previous tokens end at a time of day. */
  readonly wallClock: () => number;
  /** 0 ≤ x < 1, for the jitter of `Retry-After`. */
  readonly random: () => number;
}

const maxRetryAfterSeconds = 60;

export function createAdmission(options: AdmissionOptions): Admission {
  const { registry, syncAuth, now, wallClock, random } = options;
  const strangers = createTokenBucket({
    ratePerSecond: options.unknownTenantRate,
    burst: options.unknownTenantBurst,
    clock: now,
  });
  return {
    admit(applicant) {
      if (registry === undefined || !registry.fresh) return undefined;
      if (syncAuth) return checkToken(registry, applicant, wallClock());
      if (registry.tenant(applicant.tenantId) !== undefined) return undefined;
      const taken = strangers.take();
      if (taken.ok) return undefined;
      // The next token is not everybody's: up to three times as long, so that strangers do not queue up.
      const seconds = Math.ceil(taken.waitSeconds * (1 + 2 * random()));
      return {
        refusal: 'unknown_tenant_limit',
        retryAfterSeconds: Math.min(maxRetryAfterSeconds, Math.max(1, seconds)),
      };
    },
  };
}

const noHash = new Uint8Array(32);

/**
 * Unknown device, device without a token and wrong token give one answer after the same work. That a device is
 * revoked is told only to whoever holds its token.
 */
function checkToken(registry: RegistryView, applicant: Applicant, nowMs: number): Turned | undefined {
  const device = registry.device(applicant.tenantId, applicant.deviceId);
  const sent = hashToken(applicant.token);
  const isCurrent = equalHash(sent, device?.tokenSha256 ?? noHash);
  const isPrevious = equalHash(sent, previousHash(device, nowMs) ?? noHash);
  if (device === undefined || !(isCurrent || isPrevious)) return { refusal: 'token_refused' };
  return device.revoked ? { refusal: 'device_revoked' } : undefined;
}

function previousHash(device: RegisteredDevice | undefined, nowMs: number): Uint8Array | undefined {
  if (device?.previousTokenUntilMs === undefined || nowMs >= device.previousTokenUntilMs) return undefined;
  return device.previousTokenSha256;
}
