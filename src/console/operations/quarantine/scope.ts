import type { TOptional } from 'typebox';
import type { Access } from '../../operation.ts';
import { ofTenant, type tenantIdSchema } from '../../schemas.ts';

/** Operations that are there twice: under a tenant, and for operators over all tenants. */
export interface Scope {
  readonly prefix: string;
  /** In front of the operation's own name, with a capital letter then: `listAllQuarantined`. */
  readonly idOf: (verb: string, rest: string) => string;
  readonly accessOf: (ofTenant: Access) => Access;
  /** The tenant's id, where there is one in the path. */
  readonly params: { readonly tenant_id: TOptional<typeof tenantIdSchema> };
  readonly whose: string;
}

export const tenantScope: Scope = {
  prefix: '/tenants/{tenant_id}',
  idOf: (verb, rest) => `${verb}${rest}`,
  accessOf: (access) => access,
  // The type says what handlers may rely on in both scopes.
  params: ofTenant as unknown as Scope['params'],
  whose: 'a tenant’s',
};

export const everyScope: Scope = {
  prefix: '',
  idOf: (verb, rest) => `${verb}All${rest}`,
  accessOf: () => 'operator',
  params: {} as Scope['params'],
  whose: 'all tenants’',
};
