/** Whose turn it is: tenants take turns, and within a tenant its lanes. */
export class Turns<L extends { readonly tenantId: string }> {
  /** Lanes by tenant, both in the order in which they take turns. */
  readonly #lanes = new Map<string, Set<L>>();

  add(lane: L): void {
    this.#lanes.set(lane.tenantId, (this.#lanes.get(lane.tenantId) ?? new Set()).add(lane));
  }

  delete(lane: L): void {
    const lanes = this.#lanes.get(lane.tenantId);
    lanes?.delete(lane);
    if (lanes?.size === 0) this.#lanes.delete(lane.tenantId);
  }

  /** The first that may start, of the first tenant that has one; both go to the end of their lines. */
  next(mayStart: (lane: L) => boolean): L | undefined {
    for (const [tenantId, lanes] of this.#lanes) {
      for (const lane of lanes) {
        if (!mayStart(lane)) continue;
        lanes.delete(lane);
        lanes.add(lane);
        this.#lanes.delete(tenantId);
        this.#lanes.set(tenantId, lanes);
        return lane;
      }
    }
    return undefined;
  }
}
