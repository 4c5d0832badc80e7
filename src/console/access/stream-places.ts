import { Problem } from '../problem.ts';

/** How many live streams are open at once, in this process. */
export interface StreamPlaces {
  /** @returns what gives the place back. @throws Problem `too_many_requests` */
  take(who: string): () => void;
}

export interface StreamPlacesOptions {
  readonly perKey: number;
  readonly total: number;
}

export const streamPlacesDefaults: StreamPlacesOptions = { perKey: 100, total: 2_000 };

const retryAfterSeconds = 10;

export function createStreamPlaces({
  perKey,
  total,
}: StreamPlacesOptions = streamPlacesDefaults): StreamPlaces {
  const open = new Map<string, number>();
  let all = 0;
  return {
    take(who) {
      const own = open.get(who) ?? 0;
      if (own >= perKey || all >= total) {
        const what = own >= perKey ? `${perKey} live streams of this key` : `${total} live streams`;
        throw new Problem('too_many_requests', `${what} are open already`, { retryAfterSeconds });
      }
      open.set(who, own + 1);
      all += 1;
      return () => {
        all -= 1;
        const left = (open.get(who) ?? 1) - 1;
        if (left === 0) open.delete(who);
        else open.set(who, left);
      };
    },
  };
}
