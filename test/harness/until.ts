type Truthy<T> = Exclude<T, false | 0 | '' | null | undefined>;

/** Polls until the condition holds (any truthy value, which is returned) and fails by name when it never does. */
export async function until<T>(
  condition: () => T | Promise<T>,
  options: { readonly what: string; readonly timeoutMs?: number; readonly everyMs?: number },
): Promise<Truthy<T>> {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value as Truthy<T>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`not within ${timeoutMs} ms: ${options.what}`, { cause: lastError });
    }
    await Bun.sleep(options.everyMs ?? 20);
  }
}
