import { type Destination, parseDestination } from '../model/route-destination.ts';
import type { DeliveryRoute, RouteChanges } from '../store/delivery/delivery-routes.ts';
import type { Sender } from './sender.ts';

/** A route with what delivers to its destination. */
export interface BookedRoute extends DeliveryRoute {
  readonly sender: Sender;
  /** Of a webhook that takes several jobs in one request. */
  readonly batch: { readonly maxJobs: number; readonly maxWaitMs: number } | undefined;
}

export interface RouteBookOptions {
  /** Since a version, undefined when nothing changed; rejects when the database is away. */
  readonly load: (since: number) => Promise<RouteChanges | undefined>;
  /** May throw: then every attempt of the route fails with that error until the route or the setting is mended. */
  readonly createSender: (route: DeliveryRoute, destination: Destination) => Sender;
}

/** The routes in memory, disabled ones too. */
export class RouteBook {
  readonly #options: RouteBookOptions;
  readonly #routes = new Map<number, BookedRoute>();
  #version = -1;
  #loading: Promise<void> | undefined;

  constructor(options: RouteBookOptions) {
    this.#options = options;
  }

  get(routeId: number): BookedRoute | undefined {
    return this.#routes.get(routeId);
  }

  get size(): number {
    return this.#routes.size;
  }

  /** Whether a job of the route can be tried, by what is known here: a no may be out of date, see `refresh`. */
  isLive(routeId: number): boolean {
    return this.#routes.get(routeId)?.enabled === true;
  }

  /** It was disabled in the database a moment ago, unless it was changed since that version. */
  disabled(routeId: number, version: number): void {
    const route = this.#routes.get(routeId);
    if (route?.version === version) this.#routes.set(routeId, { ...route, enabled: false });
  }

  /** Loads what changed up to the moment of the call. One at a time; rejects when the database is away. */
  async refresh(): Promise<void> {
    // One that is under way may have read before the change that the caller asks for.
    await this.#loading?.catch(() => undefined);
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    await this.#loading;
  }

  drain(): void {
    for (const { sender } of this.#routes.values()) sender.close?.();
  }

  async #load(): Promise<void> {
    const changes = await this.#options.load(this.#version);
    if (changes === undefined) return;
    for (const routeId of changes.removed) this.#remove(routeId);
    if (changes.isWhole) {
      const all = new Set(changes.routes.map(({ routeId }) => routeId));
      for (const routeId of [...this.#routes.keys()]) if (!all.has(routeId)) this.#remove(routeId);
    }
    for (const route of changes.routes) {
      if (this.#routes.get(route.routeId)?.version === route.version) continue;
      this.#remove(route.routeId);
      this.#routes.set(route.routeId, this.#book(route));
    }
    this.#version = changes.version;
  }

  #remove(routeId: number): void {
    this.#routes.get(routeId)?.sender.close?.();
    this.#routes.delete(routeId);
  }

  #book(route: DeliveryRoute): BookedRoute {
    try {
      const destination = parseDestination(JSON.parse(route.destination), route.tenantId);
      const batch = destination.kind === 'webhook' ? destination.batch : undefined;
      return {
        ...route,
        sender: this.#options.createSender(route, destination),
        batch: batch && { maxJobs: batch.max_messages, maxWaitMs: batch.max_wait_ms },
      };
    } catch (error) {
      return { ...route, sender: failingSender(error), batch: undefined };
    }
  }
}

/** Nothing of the message is wrong: it waits until the route can be used, as long as any other job would. */
function failingSender(error: unknown): Sender {
  const message = error instanceof Error ? error.message : String(error);
  return {
    destination: 'none',
    send: async () => ({ kind: 'retry', error: `The route cannot be used: ${message}`, unwell: true }),
  };
}
