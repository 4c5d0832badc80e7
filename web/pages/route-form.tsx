import { useState } from 'preact/hooks';
import { apiPath, call } from '../lib/api.ts';
import type { Destination, Route } from '../lib/types.ts';
import { CopyBlock } from '../parts/copy.tsx';
import { Dialog, FormDialog } from '../parts/dialog.tsx';
import { Field, numberOf, Select, textOf } from '../parts/field.tsx';
import { say } from '../parts/toast.tsx';

type Kind = Destination['kind'];

const kinds: readonly (readonly [Kind, string])[] = [
  ['webhook', 'webhook: signed HTTP requests'],
  ['mqtt', 'MQTT topic'],
  ['nats', 'NATS subject'],
];

interface Changed {
  readonly signing_secret?: string;
  /** Why delivery may send nothing there. */
  readonly note?: string;
}

interface RouteFormProps {
  readonly tenant: string;
  /** Absent: a new one. */
  readonly route?: Route;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

export function RouteForm({ tenant, route, onClose, onDone }: RouteFormProps) {
  const [kind, setKind] = useState<Kind>(route?.destination.kind ?? 'webhook');
  const [secret, setSecret] = useState<string>();
  const base = `${apiPath('tenants', tenant)}/routes`;
  if (secret !== undefined) return <SigningSecret secret={secret} onClose={onClose} />;
  const submit = async (form: FormData) => {
    const body = bodyOf(form, kind, route);
    const made =
      route === undefined
        ? await call<Changed>('POST', base, {
            body: { name: textOf(form, 'name'), ...body },
          })
        : await call<Changed>('PATCH', base + apiPath(route.name), { body });
    if (made.note !== undefined) say(made.note);
    onDone();
    if (made.signing_secret === undefined) onClose();
    else setSecret(made.signing_secret);
  };
  return (
    <FormDialog
      title={route === undefined ? 'Add a route' : `Edit ${route.name}`}
      submit={route === undefined ? 'Add route' : 'Save'}
      onClose={onClose}
      onSubmit={submit}
    >
      {route === undefined && (
        <Field
          label="Name"
          name="name"
          required
          autofocus
          maxLength={64}
          pattern="[A-Za-z0-9][A-Za-z0-9._\-]{0,63}"
          hint="Letters, digits and . _ -"
        />
      )}
      <Field
        label="Topic filter"
        name="topic_filter"
        value={route?.topic_filter}
        placeholder={`tenant/${tenant}/device/+/telemetry`}
        hint="MQTT's wildcards + and #. Empty: every device and message."
      />
      <Field
        label="Condition"
        name="condition"
        value={route?.condition}
        placeholder="metrics.temp_c > 30"
        hint="CEL over the message. Empty: every message of the filter."
      />
      <fieldset class="actions">
        <legend>Fires on</legend>
        <label class="check">
          <input
            type="checkbox"
            name="on_message"
            defaultChecked={route?.fires_on.includes('message') ?? true}
          />
          messages
        </label>
        <label class="check">
          <input
            type="checkbox"
            name="on_status"
            defaultChecked={route?.fires_on.includes('status') ?? false}
          />
          devices that go silent or come back
        </label>
      </fieldset>
      <Select label="Destination" value={kind} options={kinds} onChange={(next) => setKind(next as Kind)} />
      <DestinationFields key={kind} tenant={tenant} kind={kind} destination={route?.destination} />
      <Field
        label="Messages per second at most"
        name="rate_per_second"
        type="number"
        min="0"
        step="any"
        value={route?.rate_per_second}
        hint="Empty: 100."
      />
    </FormDialog>
  );
}

interface DestinationFieldsProps {
  readonly tenant: string;
  readonly kind: Kind;
  readonly destination: Destination | undefined;
}

function DestinationFields({ tenant, kind, destination }: DestinationFieldsProps) {
  const url = destination !== undefined && 'url' in destination ? destination.url : undefined;
  if (kind === 'webhook') {
    return (
      <Field
        label="URL"
        name="url"
        required
        value={destination?.kind === 'webhook' ? url : ''}
        placeholder="https://example.org/hook"
        hint="Public addresses only, unless the installation allows others."
      />
    );
  }
  if (kind === 'nats') {
    return (
      <Field
        label="Subject"
        name="subject"
        required
        value={destination?.kind === 'nats' ? destination.subject : `out.${tenant}.{device_id}`}
        hint={`Below out.${tenant}. — {device_id} and {msg_type} stand for the message's.`}
      />
    );
  }
  const mqtt = destination?.kind === 'mqtt' ? destination : undefined;
  return (
    <>
      <Field label="Topic" name="topic" required value={mqtt?.topic ?? `tenant/${tenant}/out/{device_id}`} />
      <Field
        label="Broker"
        name="url"
        value={mqtt?.url}
        placeholder="mqtts://broker.example.org:8883"
        hint="Empty: Tributary's own listener."
      />
    </>
  );
}

function bodyOf(form: FormData, kind: Kind, route: Route | undefined): Record<string, unknown> {
  const firesOn = [
    ...(form.get('on_message') === 'on' ? ['message'] : []),
    ...(form.get('on_status') === 'on' ? ['status'] : []),
  ];
  const rate = numberOf(form, 'rate_per_second');
  const isNew = route === undefined;
  const filter = textOf(form, 'topic_filter');
  const condition = textOf(form, 'condition');
  return {
    ...(filter === '' ? {} : { topic_filter: filter }),
    ...(condition === '' && isNew ? {} : { condition: condition === '' ? null : condition }),
    fires_on: firesOn,
    destination: destinationOf(form, kind, route?.destination),
    ...(rate === null && isNew ? {} : { rate_per_second: rate }),
  };
}

/** What the form does not show (headers, batches, a user's name) stays as it was. */
function destinationOf(form: FormData, kind: Kind, before: Destination | undefined): Record<string, unknown> {
  const kept = before?.kind === kind ? before : {};
  if (kind === 'nats') return { ...kept, kind, subject: textOf(form, 'subject') };
  if (kind === 'webhook') return { ...kept, kind, url: textOf(form, 'url') };
  const url = textOf(form, 'url');
  const { url: _, ...rest } = kept as { url?: string };
  return { ...rest, kind, topic: textOf(form, 'topic'), ...(url === '' ? {} : { url }) };
}

export function SigningSecret({
  secret,
  onClose,
}: {
  readonly secret: string;
  readonly onClose: () => void;
}) {
  return (
    <Dialog title="The signing secret" onClose={onClose}>
      <div class="stacked">
        <p>The receiver checks with it that a request comes from here, as Standard Webhooks says.</p>
        <CopyBlock autofocus id="secret" label="Secret, shown only now: keep it" text={secret} />
        <div class="actions end">
          <button type="button" class="primary" onClick={onClose}>
            Done
          </button>
        </div>
      </div>
    </Dialog>
  );
}
