import { until } from './until.ts';

export interface WatchedCommand {
  /** All that it has printed so far, standard output and error. */
  output(): string;
  exitCode(): number | null;
  /** Resolves when the text was printed; throws, with all that was, when the command ends before, or takes too long. */
  prints(text: string, timeoutMs: number): Promise<void>;
  /** SIGTERM, and waits for the end. @returns the exit code */
  stop(): Promise<number>;
}

/** Starts a command whose output is what the test is about. */
export function watchCommand(
  command: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): WatchedCommand {
  const child = Bun.spawn([...command], { ...options, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  let output = '';
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) output += decoder.decode(chunk, { stream: true });
  };
  const collected = Promise.all([collect(child.stdout), collect(child.stderr)]);
  return {
    output: () => output,
    exitCode: () => child.exitCode,
    prints: async (text, timeoutMs) => {
      const what = `${command.join(' ')} prints ${JSON.stringify(text)}`;
      const ends = () => output.includes(text) || child.exitCode !== null;
      await until(ends, { what, timeoutMs }).catch(() => undefined);
      if (!output.includes(text))
        throw new Error(`not so: ${what} (exit code ${child.exitCode}):\n${output}`);
    },
    stop: async () => {
      child.kill('SIGTERM');
      const code = await child.exited;
      await collected;
      return code;
    },
  };
}
