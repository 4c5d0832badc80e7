import { isoMicroseconds } from '../lib/iso-microseconds.ts';
import { publicRejection } from '../model/public-rejection.ts';
import type { SettledNotice } from '../model/settled-notice.ts';
import type { Settled } from './settle.ts';

/** Publishes on core NATS: fire and forget. */
export type PublishNotice = (settledTo: string, notice: string) => void;

/** Tells whoever waits for a message what became of it, after COMMIT. Nearly all messages name nobody, and cost nothing. */
export function createSettledNotices(publish: PublishNotice): (settled: readonly Settled[]) => void {
  return (settled) => {
    for (const each of settled) {
      const { settledTo } = each.entry.message;
      if (settledTo !== undefined) publish(settledTo, JSON.stringify(noticeOf(each)));
    }
  };
}

function noticeOf({ entry, outcome, verdict }: Settled): SettledNotice {
  const { seq } = entry.message;
  if (outcome === 'stored' && verdict?.outcome === 'accept') {
    return { seq, outcome, time: isoMicroseconds(verdict.reading.timeUs) };
  }
  if (outcome === 'quarantined' && verdict?.outcome === 'quarantine') {
    return { seq, outcome, rejection: publicRejection(verdict.rejection) };
  }
  return { seq, outcome: outcome === 'duplicate' ? 'duplicate' : 'settled' };
}
