import { useState } from 'preact/hooks';
import { apiPath, call, get } from '../lib/api.ts';
import { useResource } from '../lib/resource.ts';
import { navigate, to } from '../lib/router.ts';
import { sendingLines } from '../lib/sending-lines.ts';
import { may } from '../lib/session.ts';
import type { Device, Doors, IssuedToken } from '../lib/types.ts';
import { CopyBlock } from '../parts/copy.tsx';
import { Dialog, FormDialog } from '../parts/dialog.tsx';
import { Field, numberOf, Select, textOf } from '../parts/field.tsx';
import { say } from '../parts/toast.tsx';

interface ActionsProps {
  readonly device: Device;
  readonly onChange: () => void;
}

const graces: readonly (readonly [string, string])[] = [
  ['0', 'at once'],
  ['3600000', 'in an hour'],
  ['86400000', 'in a day'],
  ['604800000', 'in a week'],
];

type Asked = 'edit' | 'rotate' | 'revoke' | 'delete' | undefined;

export function DeviceActions({ device, onChange }: ActionsProps) {
  const [asked, setAsked] = useState<Asked>();
  const [token, setToken] = useState<string>();
  const base = apiPath('tenants', device.tenant_id, 'devices', device.device_id);
  const close = () => setAsked(undefined);
  const done = (text: string) => {
    close();
    say(text);
    onChange();
  };
  if (!may('write')) return null;
  const reinstate = async () => {
    await call('POST', `${base}/reinstate`);
    done('The device may send again.');
  };
  const rotate = async (form: FormData) => {
    const body = { grace_ms: Number(form.get('grace_ms')) };
    const issued = await call<IssuedToken>('POST', `${base}/rotate`, { body });
    close();
    setToken(issued.token);
    onChange();
  };
  return (
    <>
      <button type="button" onClick={() => setAsked('edit')}>
        Edit
      </button>
      <button type="button" onClick={() => setAsked('rotate')}>
        Rotate token
      </button>
      {device.revoked_at === null ? (
        <button type="button" onClick={() => setAsked('revoke')}>
          Revoke
        </button>
      ) : (
        <button type="button" onClick={() => void reinstate()}>
          Reinstate
        </button>
      )}
      <button type="button" class="danger" onClick={() => setAsked('delete')}>
        Delete
      </button>
      {asked === 'edit' && <EditDevice device={device} onClose={close} onDone={() => done('Changed.')} />}
      {asked === 'rotate' && (
        <FormDialog title="Rotate the token" submit="Rotate" onClose={close} onSubmit={rotate}>
          <p>The device gets a new token, shown once.</p>
          <Select label="The present one ends" name="grace_ms" value="0" options={graces} />
        </FormDialog>
      )}
      {asked === 'revoke' && (
        <FormDialog
          title={`Revoke ${device.device_id}`}
          submit="Revoke"
          danger
          onClose={close}
          onSubmit={async () => {
            await call('POST', `${base}/revoke`);
            done('Revoked: what it sends now is quarantined.');
          }}
        >
          <p>
            What it sends from now on is quarantined as DEVICE_REVOKED. Its data stays, and it can be
            reinstated.
          </p>
        </FormDialog>
      )}
      {asked === 'delete' && <DeleteDevice device={device} base={base} onClose={close} />}
      {token !== undefined && <NewToken device={device} token={token} onClose={() => setToken(undefined)} />}
    </>
  );
}

interface DialogOf {
  readonly device: Device;
  readonly onClose: () => void;
}

function EditDevice({ device, onClose, onDone }: DialogOf & { readonly onDone: () => void }) {
  const submit = async (form: FormData) => {
    await call('PATCH', apiPath('tenants', device.tenant_id, 'devices', device.device_id), {
      body: {
        site_id: textOf(form, 'site_id'),
        rate_per_second: numberOf(form, 'rate_per_second'),
        burst: numberOf(form, 'burst'),
        max_sensors: numberOf(form, 'max_sensors'),
      },
    });
    onDone();
  };
  return (
    <FormDialog title={`Edit ${device.device_id}`} submit="Save" onClose={onClose} onSubmit={submit}>
      <Field label="Site" name="site_id" value={device.site_id} required maxLength={128} />
      <Field
        label="Messages per second"
        name="rate_per_second"
        type="number"
        step="any"
        min="0"
        value={device.rate_per_second}
        hint="Empty: the tenant's or the installation's default."
      />
      <Field
        label="Burst"
        name="burst"
        type="number"
        min="1"
        value={device.burst}
        hint="Empty: the default."
      />
      <Field
        label="Sensors at most"
        name="max_sensors"
        type="number"
        min="0"
        value={device.max_sensors}
        hint="Empty: the default."
      />
    </FormDialog>
  );
}

function DeleteDevice({ device, base, onClose }: DialogOf & { readonly base: string }) {
  const submit = async (form: FormData) => {
    const withData = form.get('with_data') === 'on';
    await call('DELETE', `${base}${withData ? '?with_data=true' : ''}`);
    say(`${device.device_id} is deleted.`);
    navigate(to('t', device.tenant_id, 'devices'));
  };
  return (
    <FormDialog
      title={`Delete ${device.device_id}`}
      submit="Delete"
      danger
      onClose={onClose}
      onSubmit={submit}
    >
      <p>
        Its token stops to work at once, and what it sends is quarantined. Revoking does the same and can be
        undone.
      </p>
      <label class="check">
        <input type="checkbox" name="with_data" />
        Delete its readings too, for good
      </label>
    </FormDialog>
  );
}

function NewToken({ device, token, onClose }: DialogOf & { readonly token: string }) {
  const doors = useResource('doors', (signal) => get<Doors>('/doors', {}, { signal }));
  const line =
    doors.data === undefined
      ? undefined
      : sendingLines({
          tenant: device.tenant_id,
          device: device.device_id,
          site: device.site_id,
          token,
          doors: doors.data,
        })[0];
  return (
    <Dialog title="The new token" onClose={onClose}>
      <div class="stacked">
        <CopyBlock autofocus id="token" label="Token, shown only now: keep it" text={token} />
        {line !== undefined && <CopyBlock id="line" label="Send a reading with curl" text={line.text} />}
        <div class="actions end">
          <button type="button" class="primary" onClick={onClose}>
            Done
          </button>
        </div>
      </div>
    </Dialog>
  );
}
