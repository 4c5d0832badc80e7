import type { TenantId } from './identifiers.ts';

/** What a tenant's key may do; each level includes the ones before it. */
export const levels = ['read', 'write', 'admin'] as const;
export type Level = (typeof levels)[number];

/** Whose key a request came with. */
export type Actor =
  | { readonly kind: 'operator'; readonly keyId: number; readonly name: string }
  | {
      readonly kind: 'tenant';
      readonly keyId: number;
      readonly name: string;
      readonly tenantId: TenantId;
      readonly level: Level;
    };

export function reaches(level: Level, wanted: Level): boolean {
  return levels.indexOf(level) >= levels.indexOf(wanted);
}
