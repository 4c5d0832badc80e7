import Type from 'typebox';
import { JsonText } from '../../../lib/to-json.ts';
import { routeTriggers } from '../../../model/route.ts';
import { mqttSchema, natsSchema, webhookSchema } from '../../../model/route-destination.ts';
import type { StoredRoute } from '../../../store/registry/route-row.ts';
import { inRoutes, type RouteState } from '../../../store/routes/select-route-states.ts';
import type { PlaceState } from '../../route-service.ts';
import { closed, count, nullable, ofTenant, oneOf, timeSchema } from '../../schemas.ts';

export const tag = 'Routes';

export const routeNameSchema = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' });
export const ofRoute = { ...ofTenant, name: routeNameSchema };

const firesOn = Type.Array(oneOf(routeTriggers), { minItems: 1, maxItems: 2, uniqueItems: true });
const rate = nullable(Type.Number({ exclusiveMinimum: 0, maximum: 1_000_000 }));
const burst = nullable(Type.Integer({ minimum: 1, maximum: 100_000_000 }));

const secretsInput = closed({
  signing_secret: Type.Optional(
    Type.String({
      maxLength: 256,
      writeOnly: true,
      description: 'whsec_…; absent: a new route is given one',
    }),
  ),
  unsigned: Type.Optional(Type.Boolean({ description: 'sign no request' })),
  headers: Type.Optional(
    nullable(
      Type.Record(Type.String({ maxLength: 128 }), Type.String({ maxLength: 1_024 }), {
        maxProperties: 32,
        writeOnly: true,
        description: 'further headers of a webhook that nobody is shown; null: none',
      }),
    ),
  ),
  password: Type.Optional(
    nullable(
      Type.String({ minLength: 1, maxLength: 1_024, writeOnly: true, description: 'of an MQTT broker' }),
    ),
  ),
});

/** What a body says of a route; absent stays as it is, or takes its default, and null goes back to that. */
export const routeMembers = {
  topic_filter: Type.Optional(
    Type.String({ minLength: 1, maxLength: 512, description: 'with MQTT’s wildcards; default: #' }),
  ),
  condition: Type.Optional(nullable(Type.String({ maxLength: 8_192, description: 'in CEL; null: none' }))),
  fires_on: Type.Optional(firesOn),
  rate_per_second: Type.Optional(rate),
  burst: Type.Optional(burst),
  enabled: Type.Optional(Type.Boolean()),
  secrets: Type.Optional(secretsInput),
};

/** Checked as a whole by the kind it names, so that the refusal speaks of that kind. */
export const destinationInput = Type.Object(
  { kind: oneOf(['webhook', 'mqtt', 'nats']) },
  { additionalProperties: true, description: 'as the answers show it' },
);

const stateSchema = closed({
  matched: count,
  delivered: count,
  retried: Type.Integer({ minimum: 0, description: 'attempts that failed and are made again' }),
  waiting: Type.Integer({ minimum: 0, description: 'the sum of the next three' }),
  in_outbox: count,
  in_routes: count,
  scheduled: Type.Integer({ minimum: 0, description: 'for another attempt' }),
  next_attempt_at: nullable(timeSchema),
  last_error: nullable(Type.String()),
  condition_errors: count,
  dead: Type.Integer({ minimum: 0, description: 'dead letters ever; of these:' }),
  held: count,
  evicted: count,
  replayed: count,
  purged: count,
});

export const routeSchema = closed({
  route_id: Type.Integer(),
  tenant_id: Type.String(),
  name: Type.String(),
  topic_filter: Type.String(),
  condition: nullable(Type.String()),
  fires_on: Type.Array(Type.String()),
  destination: Type.Union([webhookSchema, mqttSchema, natsSchema]),
  has_secrets: Type.Boolean(),
  rate_per_second: nullable(Type.Number({ description: 'null: the default' })),
  burst: nullable(Type.Integer()),
  enabled: Type.Boolean(),
  disabled_reason: nullable(Type.String({ description: 'why it was turned off other than by a person' })),
  created_at: timeSchema,
  updated_at: timeSchema,
  state: stateSchema,
});

/** One route, with what its destination is like at the moment. */
export const shownRouteSchema = closed({
  ...routeSchema.properties,
  destination_state: nullable(
    closed({
      delivery_processes: Type.Integer({ minimum: 0, description: 'that answered' }),
      left_alone_by: Type.Integer({ minimum: 0, description: 'of these, after failures in a row' }),
      failures: count,
      tried_in_ms: Type.Integer({ minimum: 0, description: 'until the first of them tries again' }),
    }),
  ),
});

export function showPlace(place: PlaceState | undefined) {
  if (place === undefined) return null;
  const { processes, leftAloneBy, failures, triedInMs } = place;
  return { delivery_processes: processes, left_alone_by: leftAloneBy, failures, tried_in_ms: triedInMs };
}

/** Of what makes or changes a route. */
export const changedRouteSchema = closed({
  ...routeSchema.properties,
  signing_secret: Type.Optional(Type.String({ description: 'made here, shown this once' })),
  note: Type.Optional(Type.String({ description: 'why delivery may send nothing there' })),
});

export function showRouteRow(route: StoredRoute, state: RouteState | undefined) {
  return {
    route_id: route.routeId,
    tenant_id: route.tenantId,
    name: route.name,
    topic_filter: route.topicFilter,
    condition: route.condition ?? null,
    fires_on: route.firesOn,
    destination: new JsonText(route.destination),
    has_secrets: route.hasSecrets,
    rate_per_second: route.ratePerSecond ?? null,
    burst: route.burst ?? null,
    enabled: route.enabled,
    disabled_reason: route.disabledReason ?? null,
    created_at: route.createdAt,
    updated_at: route.updatedAt,
    state: showState(state),
  };
}

function showState(state: RouteState | undefined) {
  const { matched = 0, inOutbox = 0, scheduled = 0, delivered = 0, retried = 0, dead = 0 } = state ?? {};
  const { held = 0, evicted = 0, replayed = 0, purged = 0, conditionErrors = 0 } = state ?? {};
  const published = state === undefined ? 0 : inRoutes(state);
  return {
    matched: matched + inOutbox,
    delivered,
    retried,
    waiting: inOutbox + published + scheduled,
    in_outbox: inOutbox,
    in_routes: published,
    scheduled,
    next_attempt_at: state?.nextAttemptAt ?? null,
    last_error: state?.lastError ?? null,
    condition_errors: conditionErrors,
    dead,
    held,
    evicted,
    replayed,
    purged,
  };
}
