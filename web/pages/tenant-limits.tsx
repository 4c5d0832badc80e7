import { apiPath, call, get } from '../lib/api.ts';
import { useResource } from '../lib/resource.ts';
import type { Tenant } from '../lib/types.ts';
import { FormDialog } from '../parts/dialog.tsx';
import { Field, numberOf } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';

interface TenantLimitsProps {
  readonly tenant: string;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

const names = ['rate_per_second', 'burst', 'device_rate_per_second', 'device_burst'] as const;

/** For operators: what a tenant and each of its devices may send. */
export function TenantLimits({ tenant, onClose, onDone }: TenantLimitsProps) {
  const path = apiPath('tenants', tenant);
  const found = useResource(path, (signal) => get<Tenant>(path, {}, { signal }));
  const submit = async (form: FormData) => {
    await call('PATCH', path, {
      body: Object.fromEntries(names.map((name) => [name, numberOf(form, name)])),
    });
    onDone();
    onClose();
  };
  if (found.data === undefined) return <Problem error={found.error} retry={found.reload} />;
  const { data } = found;
  const field = (label: string, name: (typeof names)[number]) => (
    <Field
      label={label}
      name={name}
      type="number"
      min="0"
      step={name.endsWith('burst') ? '1' : 'any'}
      value={data[name]}
      hint="Empty: the installation's default."
    />
  );
  return (
    <FormDialog title={`Limits of ${tenant}`} submit="Save" onClose={onClose} onSubmit={submit}>
      {field('Messages per second, all devices together', 'rate_per_second')}
      {field('Burst, all devices together', 'burst')}
      {field('Messages per second of each device', 'device_rate_per_second')}
      {field('Burst of each device', 'device_burst')}
    </FormDialog>
  );
}
