import { useState } from 'preact/hooks';
import { apiPath, call, get } from '../lib/api.ts';
import { useFeed } from '../lib/events.ts';
import { useResource } from '../lib/resource.ts';
import { navigate, to } from '../lib/router.ts';
import { sendingLines } from '../lib/sending-lines.ts';
import type { Doors, IssuedToken, Page, Reading } from '../lib/types.ts';
import { Badge, Time } from '../parts/bits.tsx';
import { CopyBlock } from '../parts/copy.tsx';
import { Dialog, FormDialog } from '../parts/dialog.tsx';
import { Field, textOf } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';

const lookEveryMs = 3_000;

interface Added {
  readonly device: string;
  readonly site: string;
  readonly token: string;
}

export function AddDevice({ tenant, onClose }: { readonly tenant: string; readonly onClose: () => void }) {
  const [added, setAdded] = useState<Added>();
  if (added !== undefined) return <FirstMessage tenant={tenant} added={added} onClose={onClose} />;
  const submit = async (form: FormData) => {
    const device = textOf(form, 'device_id');
    const site = textOf(form, 'site_id');
    const issued = await call<IssuedToken>('POST', `${apiPath('tenants', tenant)}/devices`, {
      body: { device_id: device, site_id: site },
    });
    setAdded({ device, site, token: issued.token });
  };
  return (
    <FormDialog title="Add a device" submit="Add device" onClose={onClose} onSubmit={submit}>
      <Field
        label="Device id"
        name="device_id"
        required
        autofocus
        maxLength={128}
        pattern="[A-Za-z0-9._:\-]{1,128}"
        hint="Letters, digits and . _ : - (a MAC address is fine)."
      />
      <Field
        label="Site"
        name="site_id"
        required
        maxLength={128}
        hint="Where it stands. Its messages must name the same site."
      />
    </FormDialog>
  );
}

interface FirstMessageProps {
  readonly tenant: string;
  readonly added: Added;
  readonly onClose: () => void;
}

/** The token, lines to paste, and the wait for what they send. */
function FirstMessage({ tenant, added, onClose }: FirstMessageProps) {
  const doors = useResource(`doors ${tenant}`, (signal) => get<Doors>('/doors', {}, { signal }));
  const [first, setFirst] = useState<Reading>();
  useFeed(
    `${apiPath('tenants', tenant)}/live`,
    { device_id: added.device },
    { on: { reading: (data) => setFirst((before) => before ?? (data as Reading)) } },
  );
  const { device } = added;
  const stored = `${apiPath('tenants', tenant, 'devices', device)}/telemetry`;
  // The feed is at most once: what it misses is found here a little later.
  const found = useResource(
    stored,
    (signal) => get<Page<Reading>>(stored, { limit: 1, order: 'desc' }, { signal }),
    first === undefined ? { everyMs: lookEveryMs } : {},
  );
  const [latest] = found.data?.items ?? [];
  const seen = first ?? latest;
  return (
    <Dialog title={`${device} is registered`} onClose={onClose}>
      <div class="stacked">
        <CopyBlock autofocus id="token" label="Token, shown only now: keep it" text={added.token} />
        <Problem error={doors.error} retry={doors.reload} />
        {doors.data !== undefined && <Lines {...{ tenant, added }} doors={doors.data} />}
        <div class="waiting" role="status">
          {seen === undefined ? (
            <Badge tone="warn">Waiting for the first message …</Badge>
          ) : (
            <>
              <Badge tone="good">First message arrived</Badge> <Time at={seen.arrived_at} ago />
              <code>{JSON.stringify(seen.metrics)}</code>
            </>
          )}
        </div>
        <div class="actions end">
          <button type="button" onClick={onClose}>
            Close
          </button>
          <button type="button" class="primary" onClick={() => navigate(to('t', tenant, 'devices', device))}>
            Open {device}
          </button>
        </div>
      </div>
    </Dialog>
  );
}

function Lines({
  tenant,
  added,
  doors,
}: {
  readonly tenant: string;
  readonly added: Added;
  readonly doors: Doors;
}) {
  const lines = sendingLines({ tenant, ...added, doors });
  const [shown, setShown] = useState(0);
  const current = lines[shown] ?? lines[0];
  return (
    <div class="stacked">
      <fieldset class="actions" aria-label="How to send">
        {lines.map(({ label }, index) => (
          <button key={label} type="button" aria-pressed={index === shown} onClick={() => setShown(index)}>
            {label}
          </button>
        ))}
      </fieldset>
      {current !== undefined && (
        <CopyBlock id="line" label={`Send a reading with ${current.label}`} text={current.text} />
      )}
    </div>
  );
}
