import { apiPath } from './api.ts';
import { to } from './router.ts';

/** A tenant's part of the API and the pages, or that of the whole installation. */
export type Scope = string | undefined;

export const scopePath = (tenant: Scope): string => (tenant === undefined ? '' : apiPath('tenants', tenant));

export const scopeHref = (tenant: Scope, ...rest: readonly string[]): string =>
  tenant === undefined ? to(...rest) : to('t', tenant, ...rest);
