import type { ComponentChildren } from 'preact';
import { now, today } from '../lib/clock.ts';
import { formatAgo, formatLocal, formatMoment, formatUtc } from '../lib/format.ts';
import type { Tone } from '../lib/types.ts';

/** Local time; UTC when pointed at. */
export function Time({
  at,
  ago = false,
}: {
  readonly at: string | null | undefined;
  readonly ago?: boolean;
}) {
  if (at === null || at === undefined) return <span class="muted">never</span>;
  const ms = Date.parse(at);
  return (
    <time dateTime={at} title={`${formatLocal(ms)} local · ${formatUtc(ms)}`}>
      {ago ? <Ago ms={ms} /> : <Moment ms={ms} />}
    </time>
  );
}

function Moment({ ms }: { readonly ms: number }) {
  return <>{formatMoment(ms, today.value)}</>;
}

function Ago({ ms }: { readonly ms: number }) {
  return <>{formatAgo(ms, now.value)}</>;
}

/** Says its state in words; the colour and the mark's shape only repeat it. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return (
    <span class={`badge ${tone}`}>
      <span class="mark" aria-hidden="true" />
      {children}
    </span>
  );
}

const statusTones: Readonly<Record<string, Tone>> = {
  ONLINE: 'good',
  STALE: 'warn',
  OFFLINE: 'bad',
  REVOKED: 'quiet',
};

export function StatusBadge({ status }: { readonly status: string | null }) {
  if (status === null) return <Badge tone="quiet">no message yet</Badge>;
  return <Badge tone={statusTones[status] ?? 'quiet'}>{status.toLowerCase()}</Badge>;
}

export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

export function PageHead({
  title,
  note,
  children,
}: {
  readonly title: ComponentChildren;
  readonly note?: ComponentChildren;
  readonly children?: ComponentChildren;
}) {
  return (
    <header class="page-head">
      <div>
        <h1 tabIndex={-1}>{title}</h1>
        {note !== undefined && <p class="muted">{note}</p>}
      </div>
      {children !== undefined && <div class="actions">{children}</div>}
    </header>
  );
}

export function Panel({
  title,
  aside,
  children,
}: {
  readonly title: string;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="panel" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

export function Facts({ rows }: { readonly rows: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
