import { afterAll, describe, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ensureDemoDevice } from '../../src/roles/up/demo.ts';
import { createTestDatabase } from '../harness/postgres.ts';
import { tempFolder } from '../harness/temp-folder.ts';
import { until } from '../harness/until.ts';
import { canRun, httpDevices, runExample } from './run-example.ts';
import { startBrokenLine, startScriptedDoor } from './scripted-door.ts';

const build = tempFolder('examples');
afterAll(() => build.remove());

const settings = { DEVICE_TOKEN: 'secret-token', TENANT_ID: 't1', DEVICE_ID: 'd1', SITE_ID: 's1' };

for (const device of httpDevices(build.path)) {
  describe.skipIf(!canRun(device))(device.name, () => {
    test('sends the same message again after a 503 and a 429, then the next ones', async () => {
      await using door = startScriptedDoor([
        { status: 503, headers: { 'Retry-After': '1' } },
        { status: 429, headers: { 'Retry-After': '1' } },
      ]);
      using folder = tempFolder('example');
      await using run = runExample(
        device,
        { ...settings, INGEST_URL: door.url, COUNT: '2', INTERVAL_S: '0.2' },
        folder.path,
      );
      expect(await run.exited).toBe(0);
      const [first, second, third, fourth, ...more] = door.requests;
      expect(more).toEqual([]);
      expect(first).toMatchObject({
        path: '/ingest/v1/tenant/t1/device/d1/telemetry',
        token: 'secret-token',
      });
      for (const again of [second, third]) {
        expect(again).toMatchObject({
          body: first?.body ?? '',
          idempotencyKey: first?.idempotencyKey ?? null,
        });
      }
      expect(identityOf(third)).not.toEqual(identityOf(fourth));
      expect(JSON.parse(first?.body ?? '')).toMatchObject({ site_id: 's1', ts: expect.any(Number) });
    });

    test('keeps what it measured while the connection fails, and sends it in order afterwards', async () => {
      const brokenLine = startBrokenLine();
      using folder = tempFolder('example');
      await using run = runExample(
        device,
        { ...settings, INGEST_URL: `http://127.0.0.1:${brokenLine.port}`, COUNT: '3', INTERVAL_S: '0.1' },
        folder.path,
      );
      await until(() => run.stderr() !== '', { what: 'the failure is shown' });
      await brokenLine.stop();
      await using door = startScriptedDoor([], brokenLine.port);
      expect(await run.exited).toBe(0);
      const identities = door.requests.map(identityOf);
      expect(new Set(identities).size).toBe(3);
      expect(identities).toEqual([...identities].sort());
    });

    test('sets aside what is refused for good, and goes on', async () => {
      await using door = startScriptedDoor([{ status: 400 }]);
      using folder = tempFolder('example');
      await using run = runExample(
        device,
        { ...settings, INGEST_URL: door.url, COUNT: '2', INTERVAL_S: '0.2' },
        folder.path,
      );
      expect(await run.exited).toBe(0);
      expect(door.requests.map(({ status }) => status)).toEqual([400, 202]);
      expect(run.stderr()).toContain('scripted');
    });

    test('says so and keeps its reading when its token is refused', async () => {
      await using door = startScriptedDoor([{ status: 401 }]);
      using folder = tempFolder('example');
      const env = { ...settings, INGEST_URL: door.url, COUNT: '1', INTERVAL_S: '0.1' };
      {
        await using run = runExample(device, env, folder.path);
        await until(() => run.stderr().includes('401'), { what: 'the refusal is shown' });
        expect(door.requests).toHaveLength(1);
        expect(run.stderr()).not.toContain(settings.DEVICE_TOKEN);
      }
      if (!device.survivesRestart) return;
      await using again = runExample(device, env, folder.path);
      expect(await again.exited).toBe(0);
      const [refused, kept, ...newer] = door.requests;
      expect(kept).toEqual({ ...refused, status: 202 } as NonNullable<typeof kept>);
      expect(newer).toHaveLength(1);
    });
  });
}

test('without settings every example is the demo device of npm start', async () => {
  using folder = tempFolder('example');
  await using database = await createTestDatabase();
  const demo = await ensureDemoDevice(join(folder.path, 'demo.json'), database.pool, randomBytes);
  for (const device of httpDevices(build.path).filter(canRun)) {
    await using door = startScriptedDoor([]);
    const env = { DEVICE_TOKEN: 'secret-token', INGEST_URL: door.url, COUNT: '1', INTERVAL_S: '0.1' };
    await using run = runExample(device, env, folder.path);
    expect(await run.exited).toBe(0);
    const [request] = door.requests;
    expect(request?.path).toBe(`/ingest/v1/tenant/${demo?.tenantId}/device/${demo?.deviceId}/telemetry`);
    expect(JSON.parse(request?.body ?? '{}').site_id).toBe(demo?.siteId);
  }
});

function identityOf(request: { idempotencyKey: string | null; body: string } | undefined): unknown {
  return request?.idempotencyKey ?? JSON.parse(request?.body ?? '{}').seq;
}
