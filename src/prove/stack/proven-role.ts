import type { RoleName } from '../../roles/up/role-processes.ts';

/** The roles that a trial runs. */
export type ProvenRole = Exclude<RoleName, 'delivery'>;
