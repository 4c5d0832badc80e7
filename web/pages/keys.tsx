import { useState } from 'preact/hooks';
import { apiPath, call, get } from '../lib/api.ts';
import { useResource } from '../lib/resource.ts';
import { type Scope, scopePath } from '../lib/scope.ts';
import { may } from '../lib/session.ts';
import type { Key, Page } from '../lib/types.ts';
import { Badge, Empty, PageHead, Time } from '../parts/bits.tsx';
import { CopyBlock } from '../parts/copy.tsx';
import { Dialog, FormDialog } from '../parts/dialog.tsx';
import { Field, Select, textOf } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { say } from '../parts/toast.tsx';

const levels: readonly (readonly [string, string])[] = [
  ['read', 'read: see everything of the tenant'],
  ['write', 'write: also change devices and routes, mend and replay'],
  ['admin', 'admin: also make and revoke keys'],
];

/** A tenant's keys, or those of the operators. */
export function Keys({ tenant }: { readonly tenant?: string }) {
  const path = tenant === undefined ? '/operator-keys' : `${scopePath(tenant)}/keys`;
  const [isAdding, setAdding] = useState(false);
  const [made, setMade] = useState<string>();
  const [revoking, setRevoking] = useState<Key>();
  const keys = useResource(path, (signal) => get<Page<Key>>(path, { limit: 500 }, { signal }));
  const mayChange = may('admin');
  const add = async (form: FormData) => {
    const expires = textOf(form, 'expires_at');
    const { key } = await call<{ key: string }>('POST', path, {
      body: {
        name: textOf(form, 'name'),
        ...(tenant === undefined ? {} : { level: textOf(form, 'level') }),
        ...(expires === '' ? {} : { expires_at: new Date(expires).toISOString() }),
      },
    });
    setAdding(false);
    setMade(key);
    keys.reload();
  };
  return (
    <>
      <PageHead
        title={tenant === undefined ? 'Operator keys' : 'Keys'}
        note={
          tenant === undefined
            ? 'Each may see and change everything.'
            : `For people and programs of tenant ${tenant}: sign in here, or send it as a bearer token.`
        }
      >
        {mayChange && (
          <button type="button" class="primary" onClick={() => setAdding(true)}>
            Make a key
          </button>
        )}
      </PageHead>
      <Problem error={keys.error} retry={keys.reload} />
      <Table
        caption="Keys"
        columns={columnsFor(tenant, mayChange, setRevoking)}
        rows={keys.data?.items}
        error={keys.error}
        keyOf={(row) => String(row.key_id)}
        empty={
          <Empty title="No keys yet">
            <p>A key of level read is enough to look; devices have tokens of their own.</p>
          </Empty>
        }
      />
      {isAdding && <AddKey tenant={tenant} onClose={() => setAdding(false)} onSubmit={add} />}
      {made !== undefined && <NewKey value={made} onClose={() => setMade(undefined)} />}
      {revoking !== undefined && (
        <FormDialog
          title={`Revoke ${revoking.name}`}
          submit="Revoke"
          danger
          onClose={() => setRevoking(undefined)}
          onSubmit={async () => {
            await call('DELETE', path + apiPath(String(revoking.key_id)));
            setRevoking(undefined);
            say('Revoked.');
            keys.reload();
          }}
        >
          <p>Whoever uses it is refused from now on, and signed out here. This cannot be undone.</p>
        </FormDialog>
      )}
    </>
  );
}

function columnsFor(tenant: Scope, mayChange: boolean, onRevoke: (key: Key) => void): Column<Key>[] {
  return [
    { title: 'Name', cell: ({ name }) => name },
    ...(tenant === undefined ? [] : [{ title: 'Level', cell: ({ level }: Key) => level ?? '' }]),
    { title: 'State', cell: (row) => <KeyState row={row} /> },
    { title: 'Made', cell: ({ created_at }) => <Time at={created_at} />, wideOnly: true },
    ...(mayChange
      ? [
          {
            title: 'Change',
            align: 'right' as const,
            cell: (row: Key) =>
              row.revoked_at === null ? (
                <button
                  type="button"
                  class="quiet"
                  aria-label={`Revoke ${row.name}`}
                  onClick={() => onRevoke(row)}
                >
                  Revoke
                </button>
              ) : null,
          },
        ]
      : []),
  ];
}

function KeyState({ row }: { readonly row: Key }) {
  if (row.revoked_at !== null) {
    return (
      <Badge tone="quiet">
        revoked <Time at={row.revoked_at} ago />
      </Badge>
    );
  }
  if (row.expires_at == null) return <Badge tone="good">valid</Badge>;
  const isOver = Date.parse(row.expires_at) < Date.now();
  return (
    <Badge tone={isOver ? 'quiet' : 'good'}>
      {isOver ? 'expired' : 'valid, ends'} <Time at={row.expires_at} ago />
    </Badge>
  );
}

interface AddKeyProps {
  readonly tenant: Scope;
  readonly onClose: () => void;
  readonly onSubmit: (form: FormData) => Promise<void>;
}

function AddKey({ tenant, onClose, onSubmit }: AddKeyProps) {
  return (
    <FormDialog title="Make a key" submit="Make key" onClose={onClose} onSubmit={onSubmit}>
      <Field label="Name" name="name" required autofocus maxLength={128} hint="Who or what uses it." />
      {tenant !== undefined && (
        <>
          <Select label="Level" name="level" value="read" options={levels} />
          <Field label="Ends" name="expires_at" type="datetime-local" hint="Empty: it has no end." />
        </>
      )}
    </FormDialog>
  );
}

function NewKey({ value, onClose }: { readonly value: string; readonly onClose: () => void }) {
  return (
    <Dialog title="The new key" onClose={onClose}>
      <div class="stacked">
        <CopyBlock id="key" label="Key, shown only now: keep it" text={value} />
        <div class="actions end">
          <button type="button" class="primary" onClick={onClose}>
            Done
          </button>
        </div>
      </div>
    </Dialog>
  );
}
