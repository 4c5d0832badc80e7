export type StopSignal = 'SIGINT' | 'SIGTERM';

export interface Signals {
  /** Aborted by the first SIGINT or SIGTERM. From the first call on, that one no longer ends the process by itself. */
  stop(): AbortSignal;
  /** Aborted by the second one, at least a second later. Where nobody asks for this, the second one ends the process at once. */
  hurry(): AbortSignal;
}

interface SignalSource {
  on(signal: StopSignal, listener: () => void): unknown;
  exit(code: number): void;
}

/**
 * One Ctrl-C arrives several times at once: the terminal sends it to every process in the foreground, and npm and
 * `scripts/start.mjs` pass theirs on. So what follows this soon is the same request.
 */
const sameRequestMs = 1_000;

const exitCodesBySignal: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

/** @param now Milliseconds, monotonic. */
export function createSignals(source: SignalSource, now: () => number): Signals {
  const stop = new AbortController();
  const hurry = new AbortController();
  let listening = false;
  let hurryWanted = false;
  let lastRequestAt = Number.NEGATIVE_INFINITY;
  const onSignal = (signal: StopSignal) => {
    if (now() - lastRequestAt < sameRequestMs) return;
    lastRequestAt = now();
    if (!stop.signal.aborted) stop.abort();
    else if (hurryWanted && !hurry.signal.aborted) hurry.abort();
    else source.exit(exitCodesBySignal[signal]);
  };
  const listen = () => {
    if (listening) return;
    listening = true;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) source.on(signal, () => onSignal(signal));
  };
  return {
    stop: () => {
      listen();
      return stop.signal;
    },
    hurry: () => {
      listen();
      hurryWanted = true;
      return hurry.signal;
    },
  };
}
