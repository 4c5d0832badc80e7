import type { TObject, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { parseExactJson } from '../model/exact-json.ts';
import { depthExceeds } from '../model/json-spans.ts';
import { findUnstorable } from '../model/unstorable.ts';
import type { AnyInput, Operation } from './operation.ts';
import { invalidInput, Problem } from './problem.ts';
import { readBody, tooLarge } from './read-body.ts';

const maxJsonBodyBytes = 1024 * 1024;
const maxBodyDepth = 32;
const maxShownLength = 80;

/** Reads and checks what a request brings. @throws Problem that names the field, its value and what is wanted */
export type ReadInput = (
  request: Request,
  params: Readonly<Record<string, string>>,
  query: URLSearchParams,
) => Promise<AnyInput>;

export function createInputReader(operation: Operation): ReadInput {
  const checkParams = createCheck(operation.params);
  const checkQuery = createCheck(operation.query);
  const checkBody = operation.body === undefined ? undefined : createCheck(operation.body);
  return async (request, params, query) => {
    const given = {
      params: checkParams(coerceAll(operation.params, new Map(Object.entries(params)))),
      query: checkQuery(coerceAll(operation.query, valuesOf(operation.query, query))),
    };
    if (operation.upload !== undefined) {
      requireUpload(request, operation.upload);
      return { ...given, body: undefined };
    }
    return { ...given, body: checkBody?.(await readJson(request)) };
  };
}

// ---------------------------------------------------------------- texts of path and query

function valuesOf(schema: TObject, query: URLSearchParams): Map<string, string | string[]> {
  const values = new Map<string, string | string[]>();
  for (const name of new Set(query.keys())) {
    const all = query.getAll(name);
    const isList = typeOf(schema.properties[name]) === 'array';
    if (!isList && all.length > 1) throw invalidInput(`${shown(name)}: is given ${all.length} times`);
    values.set(name, isList ? all : (all[0] ?? ''));
  }
  return values;
}

function coerceAll(schema: TObject, texts: ReadonlyMap<string, string | string[]>): Record<string, unknown> {
  const values: Record<string, unknown> = Object.create(null);
  for (const [name, property] of Object.entries(schema.properties)) {
    if ('default' in property) values[name] = property.default;
  }
  for (const [name, text] of texts) {
    const property = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    if (property === undefined) throw invalidInput(`${shown(name)}: there is no such parameter`);
    values[name] = typeof text === 'string' ? coerce(property, text) : text;
  }
  return values;
}

const booleans: Readonly<Record<string, boolean>> = { true: true, '1': true, false: false, '0': false };

/** Turns the text into the schema's type where it can; what it cannot turn fails the check as it stands. */
function coerce(schema: TSchema, text: string): unknown {
  const type = typeOf(schema);
  if (type === 'boolean') return booleans[text] ?? text;
  if (type === 'integer' || type === 'number') return /^-?\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : text;
  return text;
}

function typeOf(schema: TSchema | undefined): unknown {
  return schema !== undefined && 'type' in schema ? schema.type : undefined;
}

// ---------------------------------------------------------------- body

async function readJson(request: Request): Promise<unknown> {
  // Where every field is optional, nothing is as good as nothing in braces.
  if (request.body === null) return {};
  requireContentType(request, 'application/json');
  const text = await readBody(request, maxJsonBodyBytes);
  try {
    if (depthExceeds(text, maxBodyDepth)) throw new RangeError(`nests deeper than ${maxBodyDepth}`);
    return parseExactJson(text);
  } catch (error) {
    throw new Problem('invalid_input', `The body is not JSON of at most ${maxBodyDepth} levels`, {
      cause: error,
    });
  }
}

function requireUpload(request: Request, { contentType, maxBytes }: NonNullable<Operation['upload']>): void {
  requireContentType(request, contentType);
  if (Number(request.headers.get('Content-Length') ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

function requireContentType(request: Request, wanted: string): void {
  const given = request.headers.get('Content-Type')?.split(';')[0]?.trim().toLowerCase();
  if (given !== wanted) throw new Problem('unsupported_media_type', `Send the body as ${wanted}`);
}

// ---------------------------------------------------------------- checks

function createCheck(schema: TSchema): (value: unknown) => unknown {
  const validator = Compile(schema);
  return (value) => {
    const unstorable = findUnstorable(value);
    if (unstorable !== undefined) throw invalidInput(`${unstorable.path}: holds a ${unstorable.why}`);
    if (validator.Check(value)) return value;
    throw invalidInput(describe(schema, validator.Errors(value), value));
  };
}

interface Fault {
  readonly keyword: string;
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly message: string;
  readonly params: object;
}

function describe(schema: TSchema, faults: readonly Fault[], value: unknown): string {
  const fault = faults.find(({ keyword }) => keyword !== 'anyOf' && keyword !== 'boolean') ?? faults[0];
  if (fault === undefined) return 'is not allowed';
  const path = fault.instancePath.slice(1).replaceAll('/', '.');
  const named = listed(fault.params);
  if (fault.keyword === 'additionalProperties') return `${named || path}: there is no such field`;
  if (fault.keyword === 'required')
    return `${[path, named].filter((part) => part !== '').join('.')}: is missing`;
  const at = valueAt(value, fault.instancePath);
  return `${path || 'body'}: ${isSecretAt(schema, fault.instancePath.split('/').slice(1)) ? '(secret)' : shown(at)} ${fault.message}`;
}

/** The names that the validator lists. */
function listed(params: object): string {
  const names = Object.values(params).find((each) => Array.isArray(each));
  return Array.isArray(names) ? names.map((name) => String(name).slice(0, maxShownLength)).join(', ') : '';
}

function valueAt(value: unknown, pointer: string): unknown {
  let at = value;
  for (const key of pointer.split('/').slice(1)) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<string, unknown>)[key.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return at;
}

interface SchemaNode {
  readonly writeOnly?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  readonly anyOf?: readonly SchemaNode[];
}

/** Whether the schema says of the value, of what it lies in or of what lies in it that nobody is to be shown it. */
function isSecretAt(schema: SchemaNode, [key, ...rest]: readonly string[]): boolean {
  if (schema.writeOnly === true) return true;
  if (schema.anyOf?.some((each) => isSecretAt(each, key === undefined ? [] : [key, ...rest])) === true)
    return true;
  const inner = [
    ...Object.entries(schema.properties ?? {}).filter(([name]) => key === undefined || name === key),
    ...Object.entries(schema.patternProperties ?? {}),
  ];
  return inner.some(([, each]) => isSecretAt(each, rest));
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length <= maxShownLength ? text : `${text.slice(0, maxShownLength)}…`;
}
