import { useState } from 'preact/hooks';
import { type ApiError, apiPath, call, get, toApiError } from '../lib/api.ts';
import { formatBytes } from '../lib/format.ts';
import { indent } from '../lib/indent.ts';
import { useResource } from '../lib/resource.ts';
import { to } from '../lib/router.ts';
import { type Scope, scopeHref, scopePath } from '../lib/scope.ts';
import { may } from '../lib/session.ts';
import type { RejectedDetails } from '../lib/types.ts';
import { Facts, PageHead, Panel, Time } from '../parts/bits.tsx';
import { Problem } from '../parts/problem.tsx';
import { Remedy } from '../parts/remedy.tsx';
import { say } from '../parts/toast.tsx';
import { ReplayDialog } from './quarantine-dialogs.tsx';

interface MessageProps {
  readonly tenant?: Scope;
  readonly id: string;
}

export function QuarantineMessage({ tenant, id }: MessageProps) {
  const path = `${scopePath(tenant)}${apiPath('quarantine', id)}`;
  const [isReplaying, setReplaying] = useState(false);
  const message = useResource(path, (signal) => get<RejectedDetails>(path, {}, { signal }));
  const found = message.data;
  const mayMend = may('write');
  return (
    <>
      <nav class="crumbs" aria-label="Where this is">
        <a href={scopeHref(tenant, 'quarantine')}>Quarantine</a>
      </nav>
      <PageHead
        title={found === undefined ? `Message ${id}` : <span class="mono">{found.reason}</span>}
        note={found?.detail}
      >
        {mayMend && found !== undefined && (
          <button type="button" class="primary" onClick={() => setReplaying(true)}>
            Replay
          </button>
        )}
      </PageHead>
      <Problem error={message.error} retry={message.reload} />
      {found !== undefined && (
        <div class="stack">
          <Remedy reason={found.reason} />
          <section class="panel" aria-label="About this message">
            <MessageFacts message={found} />
          </section>
          <Panel title="As it came, without its token">
            <Payload
              label="Message as it came"
              text={found.envelope ?? found.envelope_base64 ?? ''}
              isText={found.envelope !== null}
            />
          </Panel>
          {mayMend && <Mend key={found.mended_at} tenant={tenant} message={found} onDone={message.reload} />}
        </div>
      )}
      {isReplaying && (
        <ReplayDialog
          tenant={tenant}
          selection={{ ids: [id] }}
          onClose={() => {
            setReplaying(false);
            message.reload();
          }}
        />
      )}
    </>
  );
}

function MessageFacts({ message }: { readonly message: RejectedDetails }) {
  const { tenant_id, device_id } = message;
  return (
    <Facts
      rows={[
        ['Tenant', tenant_id ?? 'unknown'],
        [
          'Device',
          tenant_id === null || device_id === null ? (
            (device_id ?? 'unknown')
          ) : (
            <a key="device" class="mono" href={to('t', tenant_id, 'devices', device_id)}>
              {device_id}
            </a>
          ),
        ],
        ['Type', message.msg_type ?? 'unknown'],
        ['Arrived', <Time key="arrived" at={message.arrived_at} />],
        ['Quarantined', <Time key="quarantined" at={message.quarantined_at} />],
        ['Size', message.size_bytes === undefined ? '' : formatBytes(message.size_bytes)],
        [
          'Mended',
          message.mended_at === null ? (
            'no'
          ) : (
            <span key="mended">
              <Time at={message.mended_at} /> by {message.mended_by}
            </span>
          ),
        ],
      ]}
    />
  );
}

interface PayloadProps {
  readonly label: string;
  readonly text: string;
  /** False: base64 of bytes that are none. */
  readonly isText?: boolean;
}

/** Indented where it is JSON; its numbers stay as they were sent, since only the space between changes. */
function Payload({ label, text, isText = true }: PayloadProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keyboard
    <section class="payload" tabIndex={0} aria-label={label}>
      <pre>{isText ? indent(text) : `base64: ${text}`}</pre>
    </section>
  );
}

interface Mended {
  readonly passes: boolean;
  readonly reason: string | null;
  readonly detail: string | null;
}

interface MendProps {
  readonly tenant: Scope;
  readonly message: RejectedDetails;
  readonly onDone: () => void;
}

function Mend({ tenant, message, onDone }: MendProps) {
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const path = `${scopePath(tenant)}${apiPath('quarantine', String(message.id))}/mend`;
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const payload = String(new FormData(event.currentTarget as HTMLFormElement).get('payload') ?? '');
    setBusy(true);
    setError(undefined);
    try {
      const { passes, reason, detail } = await call<Mended>('POST', path, { body: { payload } });
      say(passes ? 'Mended: it passes now. Replay stores it.' : `Mended, but still ${reason}: ${detail}`);
      onDone();
    } catch (thrown) {
      setError(toApiError(thrown));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Panel title="Mend">
      <form class="stacked" onSubmit={submit}>
        <p class="muted">
          Another payload for a replay to judge. What was sent stays beside it. Leave the token out: a message
          with a wrong one needs somebody who vouches for it at the replay.
        </p>
        <textarea
          name="payload"
          aria-label="Payload"
          rows={10}
          required
          spellcheck={false}
          defaultValue={indent(message.mended_payload ?? message.payload ?? '')}
        />
        <Problem error={error} />
        <div class="actions end">
          <button type="submit" disabled={busy}>
            {busy ? 'Saving …' : 'Save the mended payload'}
          </button>
        </div>
      </form>
    </Panel>
  );
}
