import { join } from 'node:path';
import { wrapCommand } from '../../src/roles/up/child-process.ts';
import type { LoadEvent, LoadInterval, LoadResult, LoadSpec } from './load-spec.ts';

export interface LoadHooks {
  /** The measured time has begun, or ended: the moments to read counters. */
  readonly onMeasuring?: () => void;
  readonly onMeasured?: () => void;
  readonly onInterval?: (interval: LoadInterval) => void;
}

const main = join(import.meta.dir, 'load-main.ts');

/** Runs a load in a process of its own. @throws Error when it ends without a result */
export async function runLoad(spec: LoadSpec, hooks: LoadHooks = {}): Promise<LoadResult> {
  const command = [process.execPath, main, JSON.stringify(spec)];
  const child = Bun.spawn([...wrapCommand({ command, signalWhenParentDies: 'TERM' })], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  let result: LoadResult | undefined;
  for await (const line of linesOf(child.stdout)) {
    const event = JSON.parse(line) as LoadEvent;
    if (event.event === 'measuring') hooks.onMeasuring?.();
    else if (event.event === 'measured') hooks.onMeasured?.();
    else if (event.event === 'interval') hooks.onInterval?.(event.interval);
    else result = event.result;
  }
  const code = await child.exited;
  if (result === undefined) throw new Error(`the load process ended with ${code} and without a result`);
  return result;
}

export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line !== '');
  }
  if (rest !== '') yield rest;
}
