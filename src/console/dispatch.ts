import type pg from 'pg';
import { toJson } from '../lib/to-json.ts';
import type { Actor } from '../model/actor.ts';
import { isTenantId, type TenantId } from '../model/identifiers.ts';
import { insertAuditEntry } from '../store/console/audit-log.ts';
import { isTenant } from '../store/registry/is-tenant.ts';
import { inTransaction } from '../store/transaction.ts';
import { withTenant } from '../store/with-tenant.ts';
import { authenticate, type Caller, isStillValid } from './access/authenticate.ts';
import { authorize } from './access/authorize.ts';
import type { StreamPlaces } from './access/stream-places.ts';
import type { Throttle } from './access/throttle.ts';
import type { AuditNote, ConsoleServices, OperationContext } from './context.ts';
import { eventStream, eventStreamHeaders } from './event-stream.ts';
import { createInputReader } from './input.ts';
import { isOfTenant, type Operation } from './operation.ts';
import { notFound, Problem } from './problem.ts';
import { replyResponse } from './reply.ts';

export interface DispatchOptions {
  readonly services: ConsoleServices;
  /** Failed and first requests, by address. */
  readonly strangers: Throttle;
  /** Requests, by key. */
  readonly callers: Throttle;
  readonly places: StreamPlaces;
}

/** A request as the router hands it on. */
export interface Call extends Caller {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

/** Everything between the router and an operation's handler. Rejects with what `problemOf` takes. */
export function createDispatch(
  operation: Operation,
  options: DispatchOptions,
): (call: Call) => Promise<Response> {
  const { services, strangers, callers } = options;
  const readInput = createInputReader(operation);
  if (operation.access === 'open') {
    return async ({ request, params, query, address, isSecure }) => {
      strangers.take(address);
      const input = await readInput(request, params, query);
      return responseOf(await operation.handle(input, { services, request, isSecure }));
    };
  }
  return async (call) => {
    const { request, params, query, isSecure } = call;
    const { actor, session } = await authenticate(call, services.pool, strangers);
    callers.take(`${actor.kind} ${actor.keyId}`);
    authorize(operation, actor, params.tenant_id);
    const tenantId = isOfTenant(operation)
      ? await existingTenant(services.pool, params.tenant_id)
      : undefined;
    const input = await readInput(request, params, query);
    const work = createWork(services.pool, actor, tenantId);
    const live = createLive(call, actor, options);
    const requireStillAllowed = async () => {
      if (!(await isStillValid(call, services.pool))) throw new Problem('unauthorized');
    };
    const context = { services, actor, session, request, isSecure, live, requireStillAllowed, ...work };
    return responseOf(await operation.handle(input, context));
  };
}

function createLive(
  caller: Caller,
  actor: Actor,
  { services, places }: DispatchOptions,
): OperationContext['live'] {
  const { request } = caller;
  return (start) => {
    // Nobody would read it, nor close it.
    if (request.method === 'HEAD') return new Response(null, { headers: eventStreamHeaders });
    const leave = places.take(`${actor.kind} ${actor.keyId}`);
    return eventStream({
      start,
      stillAllowed: () => isStillValid(caller, services.pool),
      signals: [request.signal, services.stopping],
      onOpen: (change) => {
        services.metrics.streams(change);
        if (change === -1) leave();
      },
    });
  };
}

async function existingTenant(pool: pg.Pool, tenantId: string | undefined): Promise<TenantId> {
  if (isTenantId(tenantId) && (await isTenant(pool, tenantId))) return tenantId;
  throw notFound();
}

function createWork(
  pool: pg.Pool,
  actor: Actor,
  tenantId: TenantId | undefined,
): Pick<OperationContext, 'read' | 'change'> {
  return {
    read: (work) =>
      tenantId === undefined
        ? inTransaction(pool, work, 'begin read only')
        : withTenant(pool, tenantId, work),
    change: (note, work) =>
      inTransaction(pool, async (client) => {
        const result = await work(client);
        await insertAuditEntry(client, { actor, tenantId, ...entryOf(note, result) });
        return result;
      }),
  };
}

function entryOf<T>({ action, target, detail = {} }: AuditNote<T>, result: T) {
  return { action, target, detail: toJson(typeof detail === 'function' ? detail(result) : detail) };
}

function responseOf(result: Parameters<typeof replyResponse>[0] | Response): Response {
  return result instanceof Response ? result : replyResponse(result);
}
