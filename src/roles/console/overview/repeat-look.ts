const defaultIntervalMs = 1_000;
/** The second look comes soon, so that whoever opens the page sees rates at once. */
const firstIntervalMs = 300;

/** Runs `look` once in `intervalMs`, never twice at once; it must not throw. @returns what ends it */
export function repeatLook(
  look: (isStopped: () => boolean) => Promise<void>,
  intervalMs = defaultIntervalMs,
): () => void {
  let isStopped = false;
  let timer: Timer | undefined;
  let looks = 0;
  const run = async () => {
    const startedAt = performance.now();
    await look(() => isStopped);
    looks += 1;
    if (isStopped) return;
    const interval = looks === 1 ? firstIntervalMs : intervalMs;
    timer = setTimeout(() => void run(), Math.max(0, interval - (performance.now() - startedAt)));
  };
  void run();
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}
