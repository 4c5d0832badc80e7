/**
 * One operation of the API: what it takes, what it answers, who may call it, what it does.
 *
 * How to add one:
 *
 * 1. In `operations/{group}.ts`, `defineOperation({ … })`: the schemas validate the input, give the handler its types and
 *    make the OpenAPI document. Unknown fields and parameters are refused: make objects with `closed` (schemas.ts).
 * 2. Put it into the group's exported list, and a new group into `operations/operations.ts`.
 * 3. The handler reads with `context.read` (row-level security), changes with `context.change` (audited), throws
 *    `notFound()`, `invalidInput(…)` or `new Problem(…)`, and returns `ok(body)`, `created(body)`, `noContent()`, or a
 *    `Response` of its own for streams. Errors of the registry and the database are mapped (problem-of.ts).
 * 4. Add an example to `test/console/operation-examples/`: the tests call each operation with it, check the answer against
 *    the schema, try it with another tenant's key, and with nonsense.
 *
 * Access is checked before the handler runs: a tenant's key reaches only paths under its own `/tenants/{tenant_id}`, with
 * its level or above; elsewhere `read` means any valid key. Operator keys may do everything. A tenant that does not
 * exist is a 404 before the handler runs.
 */
import type Type from 'typebox';
import type { Static, TObject, TProperties, TSchema } from 'typebox';
import type { Level } from '../model/actor.ts';
import type { OpenContext, OperationContext } from './context.ts';
import type { Reply } from './reply.ts';
import { closed } from './schemas.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
export type Access = Level | 'operator';

export interface Answer {
  readonly description: string;
  /** Absent: no body, or one that is not JSON. */
  readonly schema?: TSchema;
  /** Default `application/json`. */
  readonly contentType?: string | readonly string[];
}

/** A body that the handler reads itself, as it comes: `context.request.body`. */
export interface Upload {
  readonly contentType: string;
  readonly maxBytes: number;
}

interface Shared {
  readonly method: Method;
  /** Below `/api/v1`: `/tenants/{tenant_id}/devices`. */
  readonly path: string;
  /** Unique; `listDevices`. */
  readonly id: string;
  /** The heading it stands under in the document. */
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly upload?: Upload;
  /** By status. Those of every operation (400, 401, 403, 404, 429, 503 …) are added. */
  readonly answers: Readonly<Record<number, Answer>>;
}

interface Input<P extends TProperties, Q extends TProperties, B extends TSchema> {
  readonly params: Static<TObject<P>>;
  readonly query: Static<TObject<Q>>;
  readonly body: Static<B>;
}

type Result = Promise<Reply | Response> | Reply | Response;

export interface OperationDefinition<P extends TProperties, Q extends TProperties, B extends TSchema>
  extends Shared {
  readonly access: Access;
  readonly params?: P;
  readonly query?: Q;
  /** JSON of at most 1 MiB. */
  readonly body?: B;
  handle(input: Input<P, Q, B>, context: OperationContext): Result;
}

export interface AnyInput {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

interface Checked extends Shared {
  readonly params: TObject;
  readonly query: TObject;
  readonly body: TSchema | undefined;
}

/** An operation of any types. */
export interface KeyedOperation extends Checked {
  readonly access: Access;
  handle(input: AnyInput, context: OperationContext): Result;
}

/** One that is called without a key: signing in. */
export interface OpenOperation extends Checked {
  readonly access: 'open';
  handle(input: AnyInput, context: OpenContext): Result;
}

export type Operation = KeyedOperation | OpenOperation;

export function defineOperation<
  const P extends TProperties = Record<never, never>,
  const Q extends TProperties = Record<never, never>,
  const B extends TSchema = Type.TUndefined,
>(definition: OperationDefinition<P, Q, B>): KeyedOperation {
  return { ...definition, ...schemasOf(definition) };
}

export function defineOpenOperation<const B extends TSchema>(
  definition: Omit<Shared, 'upload'> & {
    readonly body: B;
    handle(input: Input<Record<never, never>, Record<never, never>, B>, context: OpenContext): Result;
  },
): OpenOperation {
  return { ...definition, access: 'open', ...schemasOf(definition) };
}

function schemasOf(definition: { params?: TProperties; query?: TProperties; body?: TSchema }) {
  return {
    params: closed(definition.params ?? {}),
    query: closed(definition.query ?? {}),
    body: definition.body,
  };
}

/** Whether it lies under a tenant, and its answers hold that tenant's rows only. */
export function isOfTenant({ path }: Pick<Operation, 'path'>): boolean {
  return path.startsWith('/tenants/{tenant_id}');
}
