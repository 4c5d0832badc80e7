/** Values by device, across tenants. A key made of both ids would be a new text, hashed anew, for each message. */
export class DeviceMap<Value> {
  readonly #tenants = new Map<string, Map<string, Value>>();

  get(tenantId: string, deviceId: string): Value | undefined {
    return this.#tenants.get(tenantId)?.get(deviceId);
  }

  set(tenantId: string, deviceId: string, value: Value): void {
    const devices = this.#tenants.get(tenantId);
    if (devices === undefined) this.#tenants.set(tenantId, new Map([[deviceId, value]]));
    else devices.set(deviceId, value);
  }

  *values(): Generator<Value> {
    for (const devices of this.#tenants.values()) yield* devices.values();
  }
}
