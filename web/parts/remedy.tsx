import { remedyOf } from '../lib/remedies.ts';

/** What to do about messages that are quarantined for this reason. */
export function Remedy({ reason }: { readonly reason: string }) {
  const remedy = remedyOf(reason);
  if (remedy === undefined) return null;
  return (
    <p class="notice">
      <strong>To do:</strong> {remedy}
    </p>
  );
}
