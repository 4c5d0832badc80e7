import type { RoleName } from '../../roles/up/role-processes.ts';

/** The roles that a trial runs; delivery only where routes deliver. */
export type ProvenRole = Exclude<RoleName, 'console' | 'mqtt-bridge'>;
