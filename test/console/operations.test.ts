import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { isOfTenant, type KeyedOperation } from '../../src/console/operation.ts';
import { operations } from '../../src/console/operations/operations.ts';
import { examples } from './operation-examples/examples.ts';
import { exampleOf, faultsOf, optionsOf, pathOf } from './requests.ts';
import { createWorld, hidden, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const keyed = operations.filter((operation): operation is KeyedOperation => operation.access !== 'open');
const ofTenant = keyed.filter(isOfTenant);

test('ids and paths are unique, and every example is of an operation', () => {
  expect(new Set(operations.map(({ id }) => id)).size).toBe(operations.length);
  expect(new Set(operations.map(({ method, path }) => `${method} ${path}`)).size).toBe(operations.length);
  expect(Object.keys(examples).filter((id) => !operations.some((operation) => operation.id === id))).toEqual(
    [],
  );
});

// First of all: examples of changes would change what it looks for.
describe('no operation gives another tenant’s key anything', () => {
  test.each(ofTenant.map((operation) => [operation.id, operation] as const))('%s', async (_id, operation) => {
    const example = await exampleOf(operation, world);
    const answer = await world.call(
      operation.method,
      pathOf(operation, example),
      optionsOf(operation, example, 'foreign'),
    );
    expect(answer.status).toBe(404);
    expect(answer.json).toMatchObject({ detail: 'Not found', type: 'urn:tributary:problem:not-found' });
  });
});

describe('no operation takes a request without a valid key', () => {
  test.each(keyed.map((operation) => [operation.id, operation] as const))('%s', async (_id, operation) => {
    const path = pathOf(operation, {});
    for (const headers of [{}, { Authorization: 'Bearer nothing' }, { Authorization: 'Basic eDp5' }]) {
      const answer = await world.call(operation.method, path, { headers });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('WWW-Authenticate')).toStartWith('Bearer');
    }
  });
});

const below = {
  read: [],
  write: ['read'],
  admin: ['read', 'write'],
  operator: ['read', 'write', 'admin'],
} as const;

describe('no operation takes a key below its level', () => {
  const those = keyed.filter(({ access }) => below[access].length > 0);
  test.each(those.map((operation) => [operation.id, operation] as const))('%s', async (_id, operation) => {
    for (const key of below[operation.access]) {
      const answer = await world.call(operation.method, pathOf(operation, {}), { key });
      expect(answer.status).toBe(403);
    }
  });
});

test('a tenant that is not there is not found, for an operator, too', async () => {
  for (const operation of ofTenant) {
    const path = pathOf(operation, { params: { tenant_id: 'nobody' } });
    expect([operation.id, (await world.call(operation.method, path, { key: 'operator' })).status]).toEqual([
      operation.id,
      404,
    ]);
  }
});

describe('every operation answers its example as documented', () => {
  test.each(operations.map((operation) => [operation.id, operation] as const))(
    '%s',
    async (_id, operation) => {
      const example = await exampleOf(operation, world);
      const answer = await world.call(
        operation.method,
        pathOf(operation, example),
        optionsOf(operation, example),
      );
      expect(`${answer.status} ${answer.text}`).toStartWith(`${example.status} `);
      expect(faultsOf(operation, answer)).toEqual([]);
      if (operation.access !== 'operator') expect(answer.text).not.toContain(hidden);
    },
  );
});

test('the OpenAPI document is valid, and is what is served', async () => {
  const { json, status } = await world.call('GET', '/openapi.json');
  expect(status).toBe(200);
  const found = await new Validator().validate(json as Record<string, unknown>);
  expect(found.errors ?? []).toEqual([]);
  expect(found.valid).toBe(true);
  expect(Object.keys((json as { paths: object }).paths)).toContain('/tenants/{tenant_id}/devices');
});

test('bodies take no field that is not documented', () => {
  for (const { id, body } of operations) {
    if (body === undefined) continue;
    expect([id, JSON.stringify(body).includes('"additionalProperties":false')]).toEqual([id, true]);
  }
});
