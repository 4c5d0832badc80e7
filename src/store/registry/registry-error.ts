/** Why a change of the registry was refused; a command can tell them apart without reading the sentence. */
export type RegistryErrorCode =
  | 'tenant_exists'
  | 'tenant_not_found'
  | 'tenant_has_devices'
  | 'key_exists'
  | 'key_not_found'
  | 'device_exists'
  | 'device_not_found'
  | 'route_exists'
  | 'route_not_found'
  | 'too_many_routes'
  | 'operator_key_exists'
  | 'operator_key_not_found';

/** The registry is not as the request supposes; the message names what and says what to do. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: RegistryErrorCode;
  constructor(code: RegistryErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function tenantNotFound(tenantId: string): RegistryError {
  return new RegistryError(
    'tenant_not_found',
    `There is no tenant ${tenantId}: add it with \`tributary tenant add ${tenantId}\`.`,
  );
}

export function deviceNotFound(tenantId: string, deviceId: string): RegistryError {
  return new RegistryError(
    'device_not_found',
    `Tenant ${tenantId} has no device ${deviceId}: \`tributary device list --tenant ${tenantId}\` shows those it has.`,
  );
}

export function routeNotFound(tenantId: string, name: string): RegistryError {
  return new RegistryError(
    'route_not_found',
    `Tenant ${tenantId} has no route ${name}: \`tributary route list --tenant ${tenantId}\` shows those it has.`,
  );
}
