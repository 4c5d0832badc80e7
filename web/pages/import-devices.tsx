import { useState } from 'preact/hooks';
import { apiPath, call } from '../lib/api.ts';
import { formatCount } from '../lib/format.ts';
import { Facts } from '../parts/bits.tsx';
import { Dialog, FormDialog } from '../parts/dialog.tsx';
import { type Column, Table } from '../parts/table.tsx';

interface Imported {
  readonly added: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly failed: readonly Failed[];
  readonly failed_count: number;
  readonly tokens: string | null;
}

interface Failed {
  readonly line: number;
  readonly reason: string;
}

interface ImportProps {
  readonly tenant: string;
  readonly onClose: () => void;
}

export function ImportDevices({ tenant, onClose }: ImportProps) {
  const [result, setResult] = useState<Imported>();
  if (result !== undefined) return <Result tenant={tenant} result={result} onClose={onClose} />;
  const submit = async (form: FormData) => {
    const file = form.get('file');
    if (!(file instanceof Blob)) return;
    const update = form.get('update') === 'on' ? '?update=true' : '';
    setResult(
      await call<Imported>('POST', `${apiPath('tenants', tenant)}/devices/import${update}`, { csv: file }),
    );
  };
  return (
    <FormDialog title="Import devices" submit="Import" onClose={onClose} onSubmit={submit}>
      <p>
        A CSV file whose first line names the columns: <code>device_id,site_id</code>, and where wanted{' '}
        <code>token</code>, <code>rate_per_second</code>, <code>burst</code>, <code>max_sensors</code>.
        Devices that bring no token get one.
      </p>
      <label class="field">
        <span>File</span>
        <input type="file" name="file" accept=".csv,text/csv" required />
      </label>
      <label class="check">
        <input type="checkbox" name="update" />
        Change devices that are registered already to what the file says
      </label>
    </FormDialog>
  );
}

const columns: readonly Column<Failed>[] = [
  { title: 'Line', cell: ({ line }) => formatCount(line), align: 'right', narrow: true },
  { title: 'Why it was left out', cell: ({ reason }) => reason },
];

function Result({ tenant, result, onClose }: ImportProps & { readonly result: Imported }) {
  return (
    <Dialog title="Imported" onClose={onClose}>
      <div class="stacked">
        <Facts
          rows={[
            ['Added', formatCount(result.added)],
            ['Changed', formatCount(result.updated)],
            ['As they were', formatCount(result.unchanged)],
            ['Left out', formatCount(result.failed_count)],
          ]}
        />
        {result.failed.length > 0 && (
          <Table
            caption="Lines that were left out"
            columns={columns}
            rows={result.failed.slice(0, 100)}
            keyOf={({ line }) => String(line)}
            empty={null}
          />
        )}
        {result.tokens !== null && <Tokens tenant={tenant} csv={result.tokens} />}
        <div class="actions end">
          <button type="button" onClick={onClose}>
            Close
          </button>
        </div>
      </div>
    </Dialog>
  );
}

/** They are nowhere else: the file is made here, in the browser. */
function Tokens({ tenant, csv }: { readonly tenant: string; readonly csv: string }) {
  const save = () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([csv], { type: 'text/csv' }));
    link.download = `${tenant}-tokens.csv`;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <div class="notice">
      <p>The new tokens can be had only now.</p>
      <button type="button" class="primary" onClick={save}>
        Save the tokens as CSV
      </button>
    </div>
  );
}
