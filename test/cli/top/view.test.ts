import { expect, test } from 'bun:test';
import { createHistory } from '../../../src/cli/top/history.ts';
import { viewOf } from '../../../src/cli/top/view.ts';
import type { LiveNats, LiveStatus } from '../../../src/roles/status/live-status.ts';

const names = ['console', 'delivery', 'gateway', 'mqtt', 'worker'];

function nats(roles: number): LiveNats {
  const state = {
    messages: 12,
    bytes: 6_000,
    firstSeq: 1,
    lastSeq: 12,
    firstAtMs: 1,
    consumers: 1,
    subjects: 1,
  };
  const stream = {
    created: 'c',
    state,
    replicas: 1,
    maxBytes: 12_000,
    maxPerSubject: 5,
    config: {},
    placement: undefined,
  };
  return {
    atMs: 0,
    sample: {
      server: '127.0.0.1:4222',
      streams: ['TELEMETRY', 'ROUTES'].map((name) => ({
        name,
        stream: { name, ...stream },
        consumer: undefined,
      })),
    },
    durability: { class: 'power-loss-safe', sync: 'always', replicas: 1, serverVersion: '2.12.0' },
    roles: Array.from({ length: roles }, (_, n) => ({
      role: names[n % names.length] ?? '',
      id: `r${n}`,
      version: '0.2.0',
      pid: 1_000 + n,
      host: 'machine-with-a-long-name.example',
      uptimeMs: 3_600_000,
      rssBytes: 100_000_000,
    })),
    rates: {
      elapsedMs: 1_000,
      bySource: { http: { accepted: 1_234, duplicate: 2, refused: 0.5 } },
      byVerdict: { stored: 1_200, duplicate: 0, quarantined: 3, internal: 0.2 },
      doorToRowMs: { p50: 12, p99: 48 },
      cpuById: new Map([['r0', 0.5]]),
    },
  };
}

const total = { accepted: 9n, stored: 5n, duplicates: 0n, quarantined: 0n, internal: 0n, inFlight: 4n };
const devices = { tenants: 1, devices: 61, online: 60, stale: 1, offline: 0, silent: 0 };

function statusOf(change: Partial<LiveStatus> = {}, roles = 5): LiveStatus {
  return {
    atMs: Date.parse('2026-01-01T12:00:00Z'),
    nats: { value: nats(roles) },
    database: { value: { devices, alarms: [] } },
    audit: { value: { epochs: [], total: { ...total, unaccounted: 0n } } },
    ...change,
  };
}

function lines(status: LiveStatus, columns = 80, rows = 24, footer = 'q quits'): string[] {
  const histories = { in: createHistory(), out: createHistory(), backlog: createHistory() };
  return viewOf(status, { columns, rows, histories, footer }).map(({ text }) => text);
}

test('80 columns and 24 lines show everything of an ordinary instance', () => {
  const page = lines(statusOf());
  expect(page).toHaveLength(24);
  expect(page.filter((line) => Bun.stringWidth(line) > 80)).toEqual([]);
  const text = page.join('\n');
  for (const shown of [
    ...['2026-01-01 12:00:00 UTC', '127.0.0.1:4222', 'unaccounted 0', 'in flight 4', 'power-loss-safe'],
    ...['stored within 12 ms (p50), 48 ms (p99)', '1,234', '1,200', 'TELEMETRY', 'ROUTES', '50 %', '95 MiB'],
    ...['60 online, 1 stale', ...names, 'q quits'],
  ])
    expect(text).toContain(shown);
});

test('at any size nothing is wider or longer than the screen, and its foot is on it', () => {
  for (let columns = 20; columns <= 140; columns += 24) {
    for (let rows = 12; rows <= 40; rows += 7) {
      const page = lines(statusOf({}, 30), columns, rows);
      expect(page.length).toBeLessThanOrEqual(rows);
      expect(page.filter((line) => Bun.stringWidth(line) > columns)).toEqual([]);
    }
  }
  expect(lines(statusOf({}, 30), 80, 24).at(-2)).toBe('and 26 more');
  expect(lines(statusOf({}, 30), 80, 60).filter((line) => /^(console|worker) /.test(line))).toHaveLength(12);
});

test('who is away and what is wrong stands on top', () => {
  const alarm = {
    kind: 'k',
    subject: 's',
    count: 1n,
    detail: 'Somebody has to look.',
    firstAt: new Date(0),
    lastAt: new Date(0),
  };
  const marked = (status: LiveStatus) =>
    viewOf(status, {
      columns: 80,
      rows: 24,
      histories: { in: createHistory(), out: createHistory(), backlog: createHistory() },
    })
      .filter(({ style }) => style === 'alarm')
      .map(({ text }) => text);
  expect(marked(statusOf())).toEqual([]);
  expect(marked(statusOf({ nats: { error: new Error('no answer') } }))).toEqual(['NATS: no answer']);
  const away = { error: new Error('cannot reach postgres://u:secret@db/x') };
  expect(marked(statusOf({ database: away, audit: away }))).toEqual([
    'PostgreSQL: cannot reach postgres://u:***@db/x',
  ]);
  expect(marked(statusOf({ database: { value: { devices, alarms: [alarm] } } }))).toEqual([
    'Alarm: Somebody has to look.',
  ]);
});

test('a history is as tall as its largest value that is seen', () => {
  const history = createHistory();
  for (const value of [100, 0, 1, 4, 8]) history.add(value);
  expect(history.bars(4)).toBe(' ▂▅█');
  expect(history.bars(6)).toHaveLength(6);
});
