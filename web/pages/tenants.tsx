import { useState } from 'preact/hooks';
import { ApiError, apiPath, call, get } from '../lib/api.ts';
import { formatCount } from '../lib/format.ts';
import { useResource } from '../lib/resource.ts';
import { navigate, to } from '../lib/router.ts';
import type { Page, Tenant } from '../lib/types.ts';
import { Empty, PageHead, Time } from '../parts/bits.tsx';
import { FormDialog } from '../parts/dialog.tsx';
import { Field, textOf } from '../parts/field.tsx';
import { Pager, usePaging } from '../parts/pager.tsx';
import { Problem } from '../parts/problem.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { say } from '../parts/toast.tsx';
import { TenantLimits } from './tenant-limits.tsx';

function columnsFor(onAct: (tenant: Tenant, what: 'limits' | 'delete') => void): Column<Tenant>[] {
  return [
    { title: 'Tenant', cell: (row) => <a href={to('t', row.tenant_id)}>{row.tenant_id}</a> },
    { title: 'Name', cell: (row) => row.name },
    {
      title: 'Devices',
      align: 'right',
      cell: (row) => <a href={to('t', row.tenant_id, 'devices')}>{formatCount(row.devices)}</a>,
    },
    { title: 'Limit', cell: (row) => limitText(row.rate_per_second, row.burst), wideOnly: true },
    {
      title: 'Limit per device',
      cell: (row) => limitText(row.device_rate_per_second, row.device_burst),
      wideOnly: true,
    },
    { title: 'Since', cell: (row) => <Time at={row.created_at} />, wideOnly: true },
    {
      title: 'Change',
      align: 'right',
      cell: (row) => (
        <>
          <button
            type="button"
            class="quiet"
            aria-label={`Limits of ${row.tenant_id}`}
            onClick={() => onAct(row, 'limits')}
          >
            Limits
          </button>
          <button
            type="button"
            class="quiet"
            aria-label={`Delete ${row.tenant_id}`}
            onClick={() => onAct(row, 'delete')}
          >
            Delete
          </button>
        </>
      ),
    },
  ];
}

export function limitText(rate: number | null, burst: number | null): string {
  if (rate === null && burst === null) return 'default';
  const parts = [rate === null ? 'default rate' : `${rate}/s`, burst === null ? '' : `burst ${burst}`];
  return parts.filter((part) => part !== '').join(', ');
}

export function Tenants() {
  const paging = usePaging();
  const [adding, setAdding] = useState(false);
  const [asked, setAsked] = useState<Asked>();
  const close = () => setAsked(undefined);
  const tenants = useResource(`tenants ${paging.cursor}`, (signal) =>
    get<Page<Tenant>>('/tenants', { limit: 100, cursor: paging.cursor }, { signal }),
  );
  return (
    <>
      <PageHead title="Tenants" note="Whose devices send here. Each sees only its own.">
        <button type="button" class="primary" onClick={() => setAdding(true)}>
          Add tenant
        </button>
      </PageHead>
      <Problem error={tenants.error} retry={tenants.reload} />
      <Table
        caption="Tenants"
        columns={columnsFor((tenant, what) => setAsked({ tenant, what }))}
        rows={tenants.data?.items}
        error={tenants.error}
        keyOf={(row) => row.tenant_id}
        empty={
          <Empty title="No tenants yet">
            <p>A tenant owns devices and the keys that read them. Add one to begin.</p>
            <button type="button" class="primary" onClick={() => setAdding(true)}>
              Add tenant
            </button>
          </Empty>
        }
      />
      <Pager paging={paging} next={tenants.data?.next} />
      {adding && <AddTenant onClose={() => setAdding(false)} />}
      {asked?.what === 'limits' && (
        <TenantLimits tenant={asked.tenant.tenant_id} onClose={close} onDone={tenants.reload} />
      )}
      {asked?.what === 'delete' && (
        <DeleteTenant tenant={asked.tenant} onClose={close} onDone={tenants.reload} />
      )}
    </>
  );
}

interface Asked {
  readonly tenant: Tenant;
  readonly what: 'limits' | 'delete';
}

interface DeleteTenantProps {
  readonly tenant: Tenant;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

function DeleteTenant({ tenant: { tenant_id, devices }, onClose, onDone }: DeleteTenantProps) {
  const submit = async (form: FormData) => {
    if (textOf(form, 'confirm') !== tenant_id)
      throw new ApiError(400, 'Not confirmed', `Type ${tenant_id} to confirm.`, undefined);
    await call('DELETE', `${apiPath('tenants', tenant_id)}${devices > 0 ? '?with_data=true' : ''}`);
    say(`${tenant_id} is deleted.`);
    onDone();
    onClose();
  };
  return (
    <FormDialog title={`Delete ${tenant_id}`} submit="Delete" danger onClose={onClose} onSubmit={submit}>
      <p>
        {devices > 0
          ? `Its ${formatCount(devices)} devices, all that they have sent, its keys and its routes are deleted, for good.`
          : 'It has no devices. Its keys and its routes are deleted.'}
      </p>
      <Field label={`Type ${tenant_id} to confirm`} name="confirm" required autofocus />
    </FormDialog>
  );
}

function AddTenant({ onClose }: { readonly onClose: () => void }) {
  const submit = async (form: FormData) => {
    const tenantId = textOf(form, 'tenant_id');
    const name = textOf(form, 'name');
    await call('POST', '/tenants', { body: { tenant_id: tenantId, ...(name === '' ? {} : { name }) } });
    navigate(to('t', tenantId, 'devices'));
  };
  return (
    <FormDialog title="Add a tenant" submit="Add tenant" onClose={onClose} onSubmit={submit}>
      <Field
        label="Tenant id"
        name="tenant_id"
        required
        autofocus
        maxLength={64}
        pattern="[A-Za-z0-9][A-Za-z0-9_\-]{0,63}"
        hint="Letters, digits, - and _, beginning with a letter or digit. It is part of every topic and cannot change."
      />
      <Field label="Name" name="name" hint="For people; may be empty." />
    </FormDialog>
  );
}
