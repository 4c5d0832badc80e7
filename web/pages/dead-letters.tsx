import { useState } from 'preact/hooks';
import { apiPath, call, get } from '../lib/api.ts';
import { formatCount } from '../lib/format.ts';
import { useResource } from '../lib/resource.ts';
import { query, setQuery, to } from '../lib/router.ts';
import { may } from '../lib/session.ts';
import type { DeadLetter, Page } from '../lib/types.ts';
import { Empty, PageHead, Time } from '../parts/bits.tsx';
import { FormDialog } from '../parts/dialog.tsx';
import { Pager, usePaging } from '../parts/pager.tsx';
import { Problem } from '../parts/problem.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { say } from '../parts/toast.tsx';
import { DeadLetterDialog } from './dead-letter.tsx';

const refreshMs = 10_000;

export function DeadLetters({ tenant }: { readonly tenant: string }) {
  const paging = usePaging();
  const [asked, setAsked] = useState<'replay' | 'purge'>();
  const [opened, setOpened] = useState<DeadLetter['id']>();
  const filter = { route: query.value.get('route') ?? '', reason: query.value.get('reason') ?? '' };
  const path = `${apiPath('tenants', tenant)}/dead-letters`;
  const letters = useResource(
    JSON.stringify([path, filter, paging.cursor]),
    (signal) => get<Page<DeadLetter>>(path, { ...filter, limit: 50, cursor: paging.cursor }, { signal }),
    { everyMs: refreshMs },
  );
  const change = (changes: Readonly<Record<string, string>>) => {
    paging.reset();
    setQuery(changes);
  };
  const act = async () => {
    const given = Object.entries(filter).filter(([, value]) => value !== '');
    const body = given.length === 0 ? { all: true } : Object.fromEntries(given);
    say(wordsOn(await call<Done>('POST', `${path}/${asked}`, { body })));
    setAsked(undefined);
    letters.reload();
  };
  const which = [filter.route, filter.reason].filter((part) => part !== '').join(', ') || 'all of them';
  return (
    <>
      <PageHead title="Dead letters" note="What routes could not deliver, and gave up.">
        {may('write') && (
          <>
            <button type="button" class="primary" onClick={() => setAsked('replay')}>
              Replay
            </button>
            <button type="button" class="danger" onClick={() => setAsked('purge')}>
              Purge
            </button>
          </>
        )}
      </PageHead>
      <search class="filters">
        {Object.entries(filter).map(([name, value]) =>
          value === '' ? null : (
            <button key={name} type="button" onClick={() => change({ [name]: '' })}>
              {value} ✕
            </button>
          ),
        )}
      </search>
      <Problem error={letters.error} retry={letters.reload} />
      <Table
        caption="Dead letters"
        columns={columnsFor(tenant, setOpened, change)}
        rows={letters.data?.items}
        error={letters.error}
        keyOf={(row) => String(row.id)}
        empty={
          <Empty title="No dead letters">
            <p>
              What a destination refuses, or does not take for hours, lies here until it is replayed or
              purged.
            </p>
          </Empty>
        }
      />
      <Pager paging={paging} next={letters.data?.next} />
      {opened !== undefined && (
        <DeadLetterDialog tenant={tenant} id={opened} onClose={() => setOpened(undefined)} />
      )}
      {asked !== undefined && (
        <FormDialog
          title={asked === 'replay' ? 'Replay dead letters' : 'Purge dead letters'}
          submit={asked === 'replay' ? 'Replay' : 'Purge'}
          danger={asked === 'purge'}
          onClose={() => setAsked(undefined)}
          onSubmit={act}
        >
          <p>
            {asked === 'replay'
              ? `Goes out again, under the id that it always had: ${which}.`
              : `Deleted for good: ${which}. The readings themselves stay stored.`}
          </p>
        </FormDialog>
      )}
    </>
  );
}

interface Done {
  readonly replayed?: number;
  readonly route_removed?: number;
  readonly route_disabled?: number;
  readonly message_gone?: number;
  readonly purged?: number;
}

function wordsOn({ purged, replayed = 0, ...stayed }: Done): string {
  if (purged !== undefined) return `${formatCount(purged)} dead letters are purged.`;
  const why: readonly (readonly [number | undefined, string])[] = [
    [stayed.route_disabled, 'wait for a route that is off'],
    [stayed.route_removed, 'have no route any more'],
    [stayed.message_gone, 'have no stored message any more'],
  ];
  const rest = why.flatMap(([count = 0, words]) => (count === 0 ? [] : [`${formatCount(count)} ${words}`]));
  return [`${formatCount(replayed)} dead letters go out again`, ...rest].join('; ');
}

function columnsFor(
  tenant: string,
  open: (id: DeadLetter['id']) => void,
  change: (changes: Readonly<Record<string, string>>) => void,
): Column<DeadLetter>[] {
  return [
    {
      title: 'Reason',
      cell: (row) => (
        <button type="button" class="link" onClick={() => change({ reason: row.reason })}>
          {row.reason}
        </button>
      ),
      mono: true,
    },
    {
      title: 'Route',
      cell: (row) => <a href={to('t', tenant, 'routes', row.route_name)}>{row.route_name}</a>,
    },
    {
      title: 'Detail',
      cell: (row) => (
        <button type="button" class="link" onClick={() => open(row.id)}>
          {row.detail}
        </button>
      ),
      text: true,
    },
    { title: 'Attempts', cell: (row) => formatCount(row.attempts), align: 'right', wideOnly: true },
    { title: 'Given up', cell: (row) => <Time at={row.dead_at} ago /> },
  ];
}
