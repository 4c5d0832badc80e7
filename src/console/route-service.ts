import type { Route } from '../model/route.ts';
import type { Destination } from '../model/route-destination.ts';
import type { RouteSecrets } from '../model/route-secrets.ts';
import type { StoredMessage } from '../store/routes/select-messages.ts';

/** What the API needs to know of routes from the rooms that match and deliver: the role hands it in. */
export interface RouteService {
  /** Seals their secrets; undefined: the process was given none. */
  readonly secretsKey: Uint8Array | undefined;
  readonly maxPerTenant: number;
  /** Why delivery may send nothing there, as far as the address itself shows it. */
  noteOn(destination: Destination): string | undefined;
  /** Undefined where NATS cannot be asked. */
  placeState(tenantId: string, destination: Destination): Promise<PlaceState | undefined>;
  /** What a route would send of stored messages, the newest first. Sends nothing. */
  foresee(request: ForeseeRequest): RouteForesight;
}

/** What the delivery processes say of a route's destination. */
export interface PlaceState {
  /** How many answered. */
  readonly processes: number;
  /** How many of them leave it alone, after failures in a row. */
  readonly leftAloneBy: number;
  readonly failures: number;
  /** Until the first of them tries it again; 0: now. */
  readonly triedInMs: number;
}

export interface ForeseeRequest {
  readonly route: Route;
  readonly secrets: RouteSecrets;
  readonly messages: readonly StoredMessage[];
  /** How many requests to show. */
  readonly show: number;
}

export interface RouteForesight {
  readonly matched: number;
  readonly conditionErrors: number;
  readonly examples: readonly {
    readonly jobIds: readonly string[];
    /** `POST https://example.org/hook` */
    readonly line: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }[];
}
