import { hashToken } from '../../model/token.ts';

export interface OperatorKey {
  readonly keyId: number;
  readonly name: string;
}

export interface OperatorAuthOptions {
  /** Looks a key up by its SHA-256; rejects when the registry cannot be asked. */
  readonly find: (keySha256: Uint8Array) => Promise<OperatorKey | undefined>;
  /** How long a key that was found holds without asking again: so long a revoked one still works. */
  readonly cacheMs?: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

export const operatorAuthDefaults = { cacheMs: 5_000, maxCached: 256 } as const;

export interface OperatorAuth {
  /** @returns undefined for a missing or wrong key; rejects when it cannot be checked */
  check(authorization: string | null): Promise<OperatorKey | undefined>;
}

/**
 * Checks `Authorization: Bearer <operator key>`. Only keys that were found are kept, for a moment: strangers cannot
 * fill the cache, and a key that has just been made works at once. The look-up is by hash, so it tells nothing by its time.
 */
export function createOperatorAuth({
  find,
  cacheMs = operatorAuthDefaults.cacheMs,
  now,
}: OperatorAuthOptions): OperatorAuth {
  const found = new Map<string, { key: OperatorKey; untilMs: number }>();
  return {
    check: async (authorization) => {
      const secret = bearerOf(authorization);
      if (secret === undefined) return undefined;
      const hash = hashToken(secret);
      const id = hash.toString('hex');
      const cached = found.get(id);
      if (cached !== undefined && cached.untilMs > now()) return cached.key;
      found.delete(id);
      const key = await find(hash);
      if (key === undefined) return undefined;
      if (found.size >= operatorAuthDefaults.maxCached) found.clear();
      found.set(id, { key, untilMs: now() + cacheMs });
      return key;
    },
  };
}

function bearerOf(authorization: string | null): string | undefined {
  return authorization === null ? undefined : /^Bearer +([\x21-\x7e]{1,512})$/i.exec(authorization)?.[1];
}
