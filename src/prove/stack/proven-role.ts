import type { RoleName } from '../../roles/up/role-processes.ts';

/** The roles that a trial runs; delivery only where routes deliver, bridges in place of the doors where there is a broker. */
export type ProvenRole = Exclude<RoleName, 'console'>;
