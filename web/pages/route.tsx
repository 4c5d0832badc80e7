import { useState } from 'preact/hooks';
import { apiPath, call, get, toApiError } from '../lib/api.ts';
import { destinationText } from '../lib/destination.ts';
import { formatCount } from '../lib/format.ts';
import { useResource } from '../lib/resource.ts';
import { navigate, to } from '../lib/router.ts';
import { may } from '../lib/session.ts';
import type { Route } from '../lib/types.ts';
import { Facts, PageHead, Panel, Time } from '../parts/bits.tsx';
import { FormDialog } from '../parts/dialog.tsx';
import { Problem } from '../parts/problem.tsx';
import { say } from '../parts/toast.tsx';
import { RouteForm, SigningSecret } from './route-form.tsx';
import { RouteTest } from './route-test.tsx';
import { DeadLetters, RouteBadge } from './routes.tsx';
import { limitText } from './tenants.tsx';

const refreshMs = 3_000;

interface RouteProps {
  readonly tenant: string;
  readonly name: string;
}

export function RoutePage({ tenant, name }: RouteProps) {
  const path = apiPath('tenants', tenant, 'routes', name);
  const found = useResource(path, (signal) => get<Route>(path, {}, { signal }), { everyMs: refreshMs });
  const route = found.data;
  return (
    <>
      <nav class="crumbs" aria-label="Where this is">
        <a href={to('t', tenant, 'routes')}>Routes</a>
      </nav>
      <PageHead title={name} note={route !== undefined && <RouteBadge route={route} />}>
        {route !== undefined && may('write') && (
          <RouteActions {...{ tenant, route, path }} onChange={found.reload} />
        )}
      </PageHead>
      <Problem error={found.error} retry={found.reload} />
      {route !== undefined && (
        <div class="stack">
          {route.disabled_reason !== null && (
            <p class="notice warn">
              Turned off by itself: {route.disabled_reason} Mend the destination, then turn it on.
            </p>
          )}
          {(route.state?.held ?? 0) > 0 && (
            <p class="notice warn">
              Some messages were given up. Their{' '}
              <a href={`${to('t', tenant, 'dead-letters')}?route=${encodeURIComponent(name)}`}>
                dead letters
              </a>{' '}
              say why; mend the destination, then replay them there.
            </p>
          )}
          <Panel title="What it sends">
            <Facts
              rows={[
                ['Filter', <code key="filter">{route.topic_filter}</code>],
                [
                  'Condition',
                  route.condition === null ? 'none' : <code key="condition">{route.condition}</code>,
                ],
                ['Fires on', route.fires_on.join(', ')],
                ['To', <code key="to">{destinationText(route.destination)}</code>],
                ['At most', limitText(route.rate_per_second, route.burst)],
                ['Changed', <Time key="changed" at={route.updated_at} />],
              ]}
            />
          </Panel>
          <RouteCounts tenant={tenant} route={route} />
          <RouteTest path={path} />
        </div>
      )}
    </>
  );
}

function RouteCounts({ tenant, route }: { readonly tenant: string; readonly route: Route }) {
  const { state } = route;
  if (state === undefined) return null;
  return (
    <Panel title="What became of it">
      <Facts
        rows={[
          ['Matched', formatCount(state.matched)],
          ['Delivered', formatCount(state.delivered)],
          ['Failed attempts', formatCount(state.retried)],
          ['Waiting', formatCount(state.waiting)],
          ['Dead letters', <DeadLetters key="dead" {...{ tenant, name: route.name, held: state.held }} />],
          ['Condition errors', formatCount(state.condition_errors)],
          ...(state.next_attempt_at === null
            ? []
            : [['Next attempt', <Time key="next" at={state.next_attempt_at} ago />] as const]),
          ...(state.last_error === null ? [] : [['Last error', state.last_error] as const]),
          ['Destination', describeDestination(route.destination_state)],
        ]}
      />
    </Panel>
  );
}

function describeDestination(found: Route['destination_state']): string {
  if (found === undefined || found === null) return 'not known: delivery cannot be asked';
  if (found.delivery_processes === 0) return 'no delivery process answers: nothing is sent';
  if (found.left_alone_by === 0) return 'not down';
  const seconds = Math.ceil(found.tried_in_ms / 1_000);
  return `down: left alone after ${formatCount(found.failures)} failures in a row, tried again in ${seconds} s`;
}

interface RouteActionsProps {
  readonly tenant: string;
  readonly route: Route;
  readonly path: string;
  readonly onChange: () => void;
}

function RouteActions({ tenant, route, path, onChange }: RouteActionsProps) {
  const [asked, setAsked] = useState<'edit' | 'rotate' | 'delete'>();
  const [secret, setSecret] = useState<string>();
  const close = () => setAsked(undefined);
  const turn = async () => {
    await call('POST', `${path}/${route.enabled ? 'disable' : 'enable'}`);
    say(route.enabled ? 'Turned off.' : 'Turned on.');
    onChange();
  };
  const rotate = async () => {
    const { signing_secret } = await call<{ signing_secret: string }>('POST', `${path}/rotate-secret`);
    close();
    setSecret(signing_secret);
  };
  const finish = async () => {
    try {
      await call('POST', `${path}/rotate-secret?finish=true`);
      say('Only the newest secret counts now.');
    } catch (error) {
      say(toApiError(error).message);
    }
    close();
  };
  const remove = async () => {
    await call('DELETE', path);
    say(`${route.name} is deleted.`);
    navigate(to('t', tenant, 'routes'));
  };
  return (
    <>
      <button type="button" onClick={() => void turn()}>
        {route.enabled ? 'Turn off' : 'Turn on'}
      </button>
      <button type="button" onClick={() => setAsked('edit')}>
        Edit
      </button>
      {route.destination.kind === 'webhook' && (
        <button type="button" onClick={() => setAsked('rotate')}>
          Rotate secret
        </button>
      )}
      <button type="button" class="danger" onClick={() => setAsked('delete')}>
        Delete
      </button>
      {asked === 'edit' && <RouteForm {...{ tenant, route }} onClose={close} onDone={onChange} />}
      {asked === 'rotate' && (
        <FormDialog title="Rotate the signing secret" submit="Rotate" onClose={close} onSubmit={rotate}>
          <p>
            A new secret, shown once. From then on requests are signed with both, until{' '}
            <em>Finish rotation</em> takes the old one away: the receiver can be changed over at any time
            between.
          </p>
          <button type="button" onClick={() => void finish()}>
            Finish rotation
          </button>
        </FormDialog>
      )}
      {asked === 'delete' && (
        <FormDialog title={`Delete ${route.name}`} submit="Delete" danger onClose={close} onSubmit={remove}>
          <p>What waits for it becomes dead letters. Stored readings stay.</p>
        </FormDialog>
      )}
      {secret !== undefined && <SigningSecret secret={secret} onClose={() => setSecret(undefined)} />}
    </>
  );
}
