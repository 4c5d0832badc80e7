import { Compile } from 'typebox/compile';
import type { Operation } from '../../src/console/operation.ts';
import type { Example } from './operation-examples/example.ts';
import { examples } from './operation-examples/examples.ts';
import type { Answer, CallOptions, KeyName, World } from './world.ts';

export async function exampleOf({ id }: Operation, world: World): Promise<Example> {
  const example = examples[id];
  if (example === undefined) throw new Error(`${id} has no example in test/console/operation-examples`);
  return typeof example === 'function' ? example(world) : example;
}

export const usualParams = { tenant_id: 'own', device_id: 'own-1' };

export function pathOf({ path }: Operation, { params, query = {} }: Partial<Example>): string {
  const values: Record<string, string> = { ...usualParams, ...params };
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(values[name] ?? 'none'),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value].flat()) search.append(name, each);
  }
  return search.size === 0 ? filled : `${filled}?${search}`;
}

export function optionsOf(operation: Operation, example: Example, key?: KeyName): CallOptions {
  const { body, headers = {} } = example;
  const given = key ?? example.key ?? (operation.access === 'open' ? undefined : operation.access);
  return { key: given, headers, ...(body === undefined ? {} : { body }) };
}

/** What is wrong with an answer, by the document; empty when nothing is. */
export function faultsOf(operation: Operation, answer: Answer): string[] {
  const documented = operation.answers[answer.status];
  if (documented === undefined) return [`${answer.status} is not documented: ${answer.text.slice(0, 300)}`];
  const { schema, contentType } = documented;
  if (schema === undefined && contentType === undefined) return answer.text === '' ? [] : ['has a body'];
  const type = answer.headers.get('Content-Type')?.split(';')[0] ?? '';
  const types: readonly string[] = [contentType ?? 'application/json'].flat();
  if (!types.includes(type)) return [`Content-Type ${type} is not documented`];
  if (schema === undefined || type !== 'application/json') return [];
  return Compile(schema)
    .Errors(answer.json)
    .map(({ instancePath, message }) => `${instancePath} ${message}`);
}
