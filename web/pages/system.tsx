import { get } from '../lib/api.ts';
import { formatBytes, formatCount, formatDuration } from '../lib/format.ts';
import { useResource } from '../lib/resource.ts';
import type { RoleProcess, StreamState, System as SystemState } from '../lib/types.ts';
import { Badge, Empty, Facts, PageHead, Panel } from '../parts/bits.tsx';
import { Problem } from '../parts/problem.tsx';
import { type Column, Table } from '../parts/table.tsx';

const refreshMs = 3_000;

const roleColumns: readonly Column<RoleProcess>[] = [
  { title: 'Role', cell: ({ role }) => role },
  { title: 'Process', cell: ({ pid, host }) => `${pid} on ${host}`, mono: true },
  { title: 'Up for', cell: ({ uptime_ms }) => formatDuration(uptime_ms) },
  {
    title: 'Memory',
    cell: ({ rss_bytes }) => (rss_bytes == null ? '' : formatBytes(rss_bytes)),
    align: 'right',
  },
  { title: 'Version', cell: ({ version }) => version, wideOnly: true },
];

const streamColumns: readonly Column<StreamState>[] = [
  { title: 'Stream', cell: ({ name }) => name, mono: true },
  { title: 'Messages', cell: ({ messages }) => formatCount(messages ?? 0), align: 'right' },
  {
    title: 'Size',
    cell: ({ bytes, max_bytes, accepts_up_to_bytes }) =>
      bytes == null ? '' : <Size bytes={bytes} most={accepts_up_to_bytes ?? max_bytes} />,
    align: 'right',
  },
  { title: 'Consumer', cell: ({ consumer }) => consumer?.name ?? 'none', mono: true, wideOnly: true },
  { title: 'Waiting', cell: ({ consumer }) => formatCount(consumer?.num_pending ?? 0), align: 'right' },
  { title: 'In hand', cell: ({ consumer }) => formatCount(consumer?.num_ack_pending ?? 0), align: 'right' },
  {
    title: 'Redelivered',
    cell: ({ consumer }) => formatCount(consumer?.num_redelivered ?? 0),
    align: 'right',
    wideOnly: true,
  },
];

const nearlyFull = 0.9;

function Size({ bytes, most }: { readonly bytes: number; readonly most: number | null }) {
  if (most === null || most <= 0) return <span>{formatBytes(bytes)}</span>;
  const text = `${formatBytes(bytes)} of ${formatBytes(most)}`;
  return bytes / most < nearlyFull ? <span>{text}</span> : <Badge tone="bad">{text}: full</Badge>;
}

const needed: readonly (readonly [readonly string[], string])[] = [
  [
    ['worker'],
    'No worker answers: messages wait in the stream, and none gets its row. Start one: tributary worker.',
  ],
  [
    ['gateway', 'mqtt', 'mqtt-bridge'],
    'No gateway and no MQTT listener answers: devices reach nobody. Start one: tributary gateway.',
  ],
];

/** What does not run, and has to. */
function Missing({ roles }: { readonly roles: readonly RoleProcess[] | null }) {
  // Where NATS is away, nobody can be asked.
  if (roles === null) return null;
  const missing = needed.filter(([names]) => !roles.some(({ role }) => names.includes(role)));
  return missing.map(([, sentence]) => (
    <p key={sentence} class="notice warn">
      {sentence}
    </p>
  ));
}

export function System() {
  const system = useResource('/system', (signal) => get<SystemState>('/system', {}, { signal }), {
    everyMs: refreshMs,
  });
  const found = system.data;
  return (
    <>
      <PageHead title="System" note="What runs, and what it stands on." />
      <div class="stack">
        <Problem error={system.error} retry={system.reload} />
        <section class="panel flat-facts" aria-label="Versions">
          {found !== undefined && <Versions system={found} />}
        </section>
        {found !== undefined && <Missing roles={found.roles} />}
        <Panel title="Roles">
          <Table
            caption="Running roles"
            columns={roleColumns}
            rows={found?.roles ?? (found === undefined ? undefined : [])}
            error={system.error}
            keyOf={({ id, role, pid, host }) => id ?? `${role} ${pid} ${host}`}
            placeholderRows={5}
            empty={
              <Empty title="No role answers">
                Is NATS running, and is a gateway, worker or listener started?
              </Empty>
            }
          />
        </Panel>
        <Panel title="Streams and consumers">
          <Table
            caption="Streams and their consumers"
            columns={streamColumns}
            rows={found?.streams ?? (found === undefined ? undefined : [])}
            error={system.error}
            keyOf={({ name }) => name}
            placeholderRows={2}
            empty={<Empty title="NATS does not answer" />}
          />
        </Panel>
      </div>
    </>
  );
}

function Versions({ system }: { readonly system: SystemState }) {
  return (
    <Facts
      rows={[
        ['Tributary', system.version ?? ''],
        ['NATS', system.nats?.version ?? <Badge tone="bad">not reached</Badge>],
        ['PostgreSQL', system.postgres?.version ?? <Badge tone="bad">not reached</Badge>],
        ['Durability', system.durability?.replaceAll('_', ' ') ?? 'unknown'],
      ]}
    />
  );
}
