import { useEffect, useState } from 'preact/hooks';
import { type ApiError, apiPath, call, get, toApiError } from '../lib/api.ts';
import { formatCount } from '../lib/format.ts';
import { type Scope, scopePath } from '../lib/scope.ts';
import type { ReplayProgress } from '../lib/types.ts';
import { Badge, Facts } from '../parts/bits.tsx';
import { Dialog, FormDialog } from '../parts/dialog.tsx';
import { Problem } from '../parts/problem.tsx';
import { say } from '../parts/toast.tsx';

/** Which messages are meant: these, or all that match. */
export interface Selection {
  readonly ids?: readonly string[];
  readonly reason?: string;
  readonly device_id?: string;
}

export interface SelectionDialogProps {
  readonly tenant: Scope;
  readonly selection: Selection;
  readonly onClose: () => void;
}

/** Without what was left empty; where that is all, it has to be said that all are meant. */
function asBody(selection: Selection): Record<string, unknown> {
  const given = Object.entries(selection).filter(([, value]) => value !== '' && value !== undefined);
  return given.length === 0 ? { all: true } : Object.fromEntries(given);
}

function describe({ ids, reason, device_id }: Selection): string {
  if (ids !== undefined)
    return ids.length === 1 ? `Message ${ids[0]}` : `${formatCount(ids.length)} messages`;
  const parts = [reason, device_id === '' || device_id === undefined ? '' : `device ${device_id}`];
  const named = parts.filter((part) => part !== '' && part !== undefined).join(' of ');
  return named === '' ? 'Everything in the quarantine' : `Everything with ${named}`;
}

export function ReplayDialog({ tenant, selection, onClose }: SelectionDialogProps) {
  const [replayId, setReplayId] = useState<string>();
  if (replayId !== undefined) return <Progress {...{ tenant, replayId, onClose }} />;
  const submit = async (form: FormData) => {
    const { replay_id } = await call<{ replay_id: number | null }>(
      'POST',
      `${scopePath(tenant)}/quarantine/replay`,
      { body: { ...asBody(selection), ...(form.get('vouch') === 'on' ? { vouch: true } : {}) } },
    );
    if (replay_id !== null) setReplayId(String(replay_id));
    else {
      say('Nothing is there to be replayed.');
      onClose();
    }
  };
  return (
    <FormDialog title="Replay" submit="Replay" onClose={onClose} onSubmit={submit}>
      <p>
        {describe(selection)} {tenant === undefined ? 'of all tenants' : `of tenant ${tenant}`} is judged
        anew, with its original arrival time and identity: what passes now is stored, the rest stays here.
      </p>
      <label class="check">
        <input type="checkbox" name="vouch" />
        <span>
          I vouch for them: they are the device's, although their token is wrong or missing. It is written
          into the audit log.
        </span>
      </label>
    </FormDialog>
  );
}

const askEveryMs = 400;

interface ProgressProps {
  readonly tenant: Scope;
  readonly replayId: string;
  readonly onClose: () => void;
}

function Progress({ tenant, replayId, onClose }: ProgressProps) {
  const [progress, setProgress] = useState<ReplayProgress>();
  const [error, setError] = useState<ApiError>();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      try {
        const next = await get<ReplayProgress>(scopePath(tenant) + apiPath('replays', replayId));
        setProgress(next);
        if (!next.done) timer = setTimeout(ask, askEveryMs);
      } catch (thrown) {
        setError(toApiError(thrown));
      }
    };
    void ask();
    return () => clearTimeout(timer);
  }, [tenant, replayId]);
  const { stored = 0, duplicate = 0, quarantined = 0, done = false } = progress ?? {};
  const total = progress?.total ?? 0;
  return (
    <Dialog title="Replay" onClose={onClose}>
      <div class="stacked" role="status">
        <progress
          aria-label="Replayed messages"
          max={Math.max(1, total)}
          value={done ? Math.max(1, total) : stored + duplicate + quarantined}
        />
        <Facts
          rows={[
            ['To replay', formatCount(total)],
            ['Stored', formatCount(stored)],
            ['Duplicate', formatCount(duplicate)],
            ['Still refused', formatCount(quarantined)],
          ]}
        />
        <p>
          <Outcome progress={progress} />
        </p>
        <Problem error={error} />
        <div class="actions end">
          <button type="button" class="primary" onClick={onClose}>
            Close
          </button>
        </div>
      </div>
    </Dialog>
  );
}

function Outcome({ progress }: { readonly progress: ReplayProgress | undefined }) {
  if (progress?.done !== true) return <>Goes on when this is closed.</>;
  if (progress.state === 'failed') return <Badge tone="bad">Broke off: {progress.error}</Badge>;
  if (progress.state === 'lost') {
    return <Badge tone="warn">Its process ended. The same replay again goes on from there.</Badge>;
  }
  return progress.quarantined === 0 ? (
    <Badge tone="good">Done</Badge>
  ) : (
    <Badge tone="warn">Done; what is still refused stays in the quarantine</Badge>
  );
}

export function PurgeDialog({ tenant, selection, onClose }: SelectionDialogProps) {
  const submit = async () => {
    const { purged } = await call<{ purged: number }>('POST', `${scopePath(tenant)}/quarantine/purge`, {
      body: asBody(selection),
    });
    say(`${formatCount(purged)} messages are purged.`);
    onClose();
  };
  return (
    <FormDialog title="Purge" submit="Purge" danger onClose={onClose} onSubmit={submit}>
      <p>{describe(selection)} is deleted for good. Nothing can be replayed afterwards.</p>
    </FormDialog>
  );
}
