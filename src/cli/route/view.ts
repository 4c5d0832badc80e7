import { routeCapDefaults } from '../../model/route.ts';
import type { Destination } from '../../model/route-destination.ts';
import type { RouteSecrets } from '../../model/route-secrets.ts';
import type { PlaceState } from '../../roles/routes/place-state.ts';
import type { StoredRoute } from '../../store/registry/route-row.ts';
import { inRoutes, type RouteState } from '../../store/routes/select-route-states.ts';
import { formatAgo, formatDuration, formatTime } from '../output/duration.ts';
import { inTableWords, JsonText } from '../output/json.ts';
import { describeLimit } from '../output/limit.ts';
import { formatCount } from '../output/number.ts';
import { type Column, oneLine } from '../output/table.ts';

export interface RouteWithState {
  readonly route: StoredRoute;
  readonly state: RouteState;
}

const waitingOf = (state: RouteState) => state.inOutbox + inRoutes(state) + state.scheduled;

export function routeColumns(withTenant: boolean): Column<RouteWithState>[] {
  return [
    ...(withTenant ? [{ title: 'TENANT', value: ({ route }: RouteWithState) => route.tenantId }] : []),
    { title: 'ROUTE', value: ({ route }) => route.name },
    { title: 'WHEN', value: ({ route }) => route.condition ?? route.topicFilter, minimum: 8 },
    { title: 'STATE', value: ({ route }) => shownState(route) },
    { title: 'DELIVERED', value: ({ state }) => formatCount(state.delivered), align: 'right' },
    { title: 'WAITING', value: ({ state }) => formatCount(waitingOf(state)), align: 'right' },
    { title: 'DEAD', value: ({ state }) => formatCount(state.held), align: 'right' },
    // Whole, and last: where it is too long for the line it goes over its end.
    { title: 'TO', value: ({ route }) => describeDestination(destinationOf(route)) },
  ];
}

/** It was checked when it was stored. */
export function destinationOf({ destination }: Pick<StoredRoute, 'destination'>): Destination {
  return JSON.parse(destination) as Destination;
}

export function describeDestination(destination: Destination): string {
  switch (destination.kind) {
    case 'webhook':
      return destination.method === 'PUT' ? `PUT ${destination.url}` : destination.url;
    case 'mqtt':
      return destination.url === undefined
        ? `mqtt ${destination.topic}`
        : `${destination.url} ${destination.topic}`;
    case 'nats':
      return `nats ${destination.subject}`;
  }
}

function shownState({ enabled, disabledReason }: StoredRoute): string {
  if (enabled) return 'on';
  return disabledReason === undefined ? 'off' : 'DISABLED';
}

export function routeFields(
  { route, state }: RouteWithState,
  secrets: RouteSecrets | undefined,
  place: PlaceState | undefined,
  nowMs: number,
): [string, string][] {
  const when = (moment: Date) => `${formatTime(moment.getTime())} UTC, ${formatAgo(moment.getTime(), nowMs)}`;
  const destination = destinationOf(route);
  return [
    ['tenant', route.tenantId],
    ['route', `${route.name} (number ${route.routeId})`],
    ['state', describeState(route)],
    ['topic filter', oneLine(route.topicFilter)],
    [
      'condition',
      route.condition === undefined ? 'none: every message of the filter' : oneLine(route.condition),
    ],
    ['fires on', route.firesOn.join(', ')],
    ['to', oneLine(describeDestination(destination))],
    ...destinationFields(destination),
    ['destination', describePlace(place)],
    ['secrets', describeSecrets(route, secrets)],
    ['cap', describeCap(route)],
    ['made', when(route.createdAt)],
    ['changed', when(route.updatedAt)],
    ...stateFields(state, nowMs),
  ];
}

function describeState({ enabled, disabledReason, tenantId, name }: StoredRoute): string {
  if (enabled) return 'on';
  const why = disabledReason === undefined ? 'off' : `off: ${oneLine(disabledReason)}`;
  return `${why}\ntributary route enable ${tenantId} ${name} turns it on`;
}

function describePlace(place: PlaceState | undefined): string {
  if (place === undefined) return 'not known whether it is down: NATS cannot be asked';
  const { processes, leftAloneBy, failures, triedInMs } = place;
  if (processes === 0) return 'no delivery process answers: nothing is sent';
  if (leftAloneBy === 0) return 'not down';
  const who = processes === 1 ? '' : ` by ${leftAloneBy} of ${processes} delivery processes`;
  const again = triedInMs === 0 ? 'is being tried again' : `tried again in ${formatDuration(triedInMs)}`;
  return `DOWN: left alone${who} after ${formatCount(failures)} failures in a row; ${again}`;
}

function destinationFields(destination: Destination): [string, string][] {
  if (destination.kind !== 'webhook') return [];
  const { headers = {}, batch } = destination;
  return [
    ...Object.entries(headers).map(([name, value]): [string, string] => ['header', `${name}: ${value}`]),
    ...(batch === undefined
      ? []
      : [
          [
            'batch',
            `up to ${formatCount(batch.max_messages)} messages, within ${formatDuration(batch.max_wait_ms)}`,
          ] as [string, string],
        ]),
  ];
}

/** What there is, never what it says. */
function describeSecrets({ hasSecrets }: StoredRoute, secrets: RouteSecrets | undefined): string {
  if (!hasSecrets) return 'none';
  if (secrets === undefined) return 'sealed; the key to say which is not at hand';
  const { signing_secrets: signing = [], headers = {}, password } = secrets;
  return [
    signing.length === 0 ? '' : signing.length === 1 ? 'signed' : `signed with ${signing.length} secrets`,
    Object.keys(headers).length === 0 ? '' : `headers ${Object.keys(headers).join(', ')}`,
    password === undefined ? '' : 'a password',
  ]
    .filter((part) => part !== '')
    .join('; ');
}

function describeCap({ ratePerSecond, burst }: StoredRoute): string {
  const { ratePerSecond: rate, burst: most } = routeCapDefaults;
  return ratePerSecond === undefined && burst === undefined
    ? `default: ${rate}/s, burst ${formatCount(most)}`
    : describeLimit(ratePerSecond, burst);
}

function stateFields(state: RouteState, nowMs: number): [string, string][] {
  const next = state.nextAttemptAt;
  return [
    ['matched', formatCount(state.matched + state.inOutbox)],
    ['delivered', formatCount(state.delivered)],
    ['retried', `${formatCount(state.retried)} attempts that failed`],
    [
      'waiting',
      `${formatCount(waitingOf(state))}: ${formatCount(state.inOutbox)} in the outbox, ` +
        `${formatCount(inRoutes(state))} in ROUTES, ${formatCount(state.scheduled)} for another attempt`,
    ],
    ...(next === undefined ? [] : [['next attempt', formatAgo(next.getTime(), nowMs)] as [string, string]]),
    ...(state.lastError === undefined ? [] : [['last error', oneLine(state.lastError)] as [string, string]]),
    ['dead letters', describeDead(state)],
    ['condition errors', formatCount(state.conditionErrors)],
  ];
}

function describeDead({ held, dead, replayed, purged, evicted }: RouteState): string {
  const gone: readonly (readonly [number, string])[] = [
    [replayed, 'replayed'],
    [purged, 'purged'],
    [evicted, 'evicted'],
  ];
  const where = gone.filter(([count]) => count > 0).map(([count, how]) => `${formatCount(count)} ${how}`);
  const ever = `${formatCount(held)} held, of ${formatCount(dead)} ever`;
  return where.length === 0 ? ever : `${ever}: ${where.join(', ')}`;
}

/** In the words of the tables. */
export function routeAsJson(route: StoredRoute): Readonly<Record<string, unknown>> {
  return { ...inTableWords(route), destination: new JsonText(route.destination) };
}

export function placeAsJson(place: PlaceState | undefined): Readonly<Record<string, unknown>> | null {
  if (place === undefined) return null;
  const { processes, leftAloneBy, failures, triedInMs } = place;
  return { delivery_processes: processes, left_alone_by: leftAloneBy, failures, tried_in_ms: triedInMs };
}

export function routeWithStateAsJson({ route, state }: RouteWithState): Readonly<Record<string, unknown>> {
  return {
    ...routeAsJson(route),
    matched: state.matched + state.inOutbox,
    condition_errors: state.conditionErrors,
    delivered: state.delivered,
    retried: state.retried,
    waiting: { outbox: state.inOutbox, routes: inRoutes(state), schedule: state.scheduled },
    next_attempt_at: state.nextAttemptAt ?? null,
    last_error: state.lastError ?? null,
    dead: state.dead,
    dead_letters: state.held,
    evicted: state.evicted,
    replayed: state.replayed,
    purged: state.purged,
  };
}
