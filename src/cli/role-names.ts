/** The commands that are a role's process. Imports nothing: it is read before the program is loaded. */
export const roleNames = ['gateway', 'mqtt', 'mqtt-bridge', 'worker', 'delivery', 'console'] as const;
export type RoleName = (typeof roleNames)[number];

/** Whether this command line starts a role. */
export function isRole(command: string | undefined): command is RoleName {
  return roleNames.some((name) => name === command);
}
