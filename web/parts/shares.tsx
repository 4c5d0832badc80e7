import { formatRate } from '../lib/format.ts';

/** Name, amount, tone of its bar, and where it leads. */
export type Share = readonly [string, number, string?, (string | undefined)?];

/** Amounts of one kind beside each other. */
interface SharesProps {
  readonly rows: readonly Share[];
  /** Default: per second. */
  readonly format?: (amount: number) => string;
}

export function Shares({ rows, format = formatRate }: SharesProps) {
  const most = Math.max(1e-9, ...rows.map(([, amount]) => amount));
  return (
    <dl class="shares">
      {rows.map(([name, amount, tone = 'accent', href]) => (
        <div key={name}>
          <dt>{href === undefined ? name : <a href={href}>{name}</a>}</dt>
          <dd class="number">{format(amount)}</dd>
          <dd class="bar" aria-hidden="true">
            <svg viewBox="0 0 100 6" preserveAspectRatio="none">
              <title>{name}</title>
              <rect class={tone} width={(amount / most) * 100} height="6" />
            </svg>
          </dd>
        </div>
      ))}
    </dl>
  );
}
