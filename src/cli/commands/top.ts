import { styleText } from 'node:util';
import { type Command, InvalidArgumentError } from 'commander';
import { natsDial } from '../../roles/servers/dial-nats.ts';
import { createLiveStatus, type LiveStatus, type LiveStatusSource } from '../../roles/status/live-status.ts';
import { createCliLog, withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, type Invocation, invocationOf } from '../define-command.ts';
import { locate } from '../locate.ts';
import { parseDuration } from '../output/duration.ts';
import { toJson } from '../output/json.ts';
import { liveAsJson } from '../top/as-json.ts';
import { createHistory } from '../top/history.ts';
import type { Screen } from '../top/screen.ts';
import { type Line, totalIn, totalOut, viewOf } from '../top/view.ts';

interface TopOptions {
  readonly interval: number;
  readonly once?: boolean;
}

const quitKeys = new Set(['q', 'Q', '\u0003', '\u001b']);
const rowsOnce = 60;

export function addTopCommand(program: Command, context: CliContext): void {
  defineCommand(program, {
    usage: 'top',
    summary: 'watch the flow live: rates, lag, streams and what each role uses',
    details:
      'Fills the terminal until q is pressed. AGAIN are messages that JetStream had already, and ' +
      'in the table of streams those that it delivered again. Where standard output is no ' +
      'terminal, or with --once, one view is printed; with --json a line for each look.',
    examples: ['top', 'top --interval 5s', 'top --once', 'top --json --once'],
  })
    .option('--interval <duration>', 'time between two looks, 500ms to 1h', parseInterval, 1_000)
    .option('--once', 'look for one interval, print it and end')
    .action(async (options: TopOptions, self: Command) => {
      const invocation = invocationOf(context, self);
      const { url } = locate('nats', invocation.config);
      const log = createCliLog(invocation.config);
      const connectNats = natsDial({ config: invocation.config, url, role: 'cli', log });
      await withDatabase(invocation, async (pool) => {
        const source = createLiveStatus({
          connectNats,
          pool,
          natsMonitorUrl: invocation.config.natsMonitorUrl,
          now: () => performance.now(),
          wallClock: invocation.clock,
        });
        try {
          await watch(source, invocation, options);
        } finally {
          await source.close();
        }
      });
    });
}

async function watch(source: LiveStatusSource, invocation: Invocation, options: TopOptions): Promise<void> {
  const stop = AbortSignal.any([invocation.signals.stop()]);
  if (invocation.json) {
    await printJson(source, invocation, options, stop);
    return;
  }
  const screen = options.once === true ? undefined : invocation.openScreen?.();
  if (screen === undefined) await printOnce(source, invocation, options, stop);
  else await fill(screen, source, options, stop);
}

/** Rates need two looks. */
async function printOnce(
  source: LiveStatusSource,
  { terminal }: Invocation,
  { interval }: TopOptions,
  stop: AbortSignal,
): Promise<void> {
  const histories = createHistories();
  await source.look();
  await pause(interval, stop);
  const status = await source.look();
  histories.add(status);
  const lines = viewOf(status, { columns: terminal.columns, rows: rowsOnce, histories: histories.of });
  terminal.out(lines.map(({ text }) => text.trimEnd()).join('\n'));
}

async function printJson(
  source: LiveStatusSource,
  { terminal }: Invocation,
  { interval, once }: TopOptions,
  stop: AbortSignal,
): Promise<void> {
  await source.look();
  do {
    await pause(interval, stop);
    if (stop.aborted) return;
    terminal.out(toJson(liveAsJson(await source.look())));
  } while (once !== true);
}

/** Draws until a key or a signal ends it; at a resize what is known is drawn anew. */
async function fill(
  screen: Screen,
  source: LiveStatusSource,
  { interval }: TopOptions,
  stop: AbortSignal,
): Promise<void> {
  const quit = new AbortController();
  const ended = AbortSignal.any([stop, quit.signal]);
  const histories = createHistories();
  let latest: LiveStatus | undefined;
  const draw = () => {
    const { columns, rows } = screen;
    if (latest === undefined) {
      screen.draw(['looking …']);
      return;
    }
    const footer = `q quits   every ${interval / 1_000} s`;
    screen.draw(viewOf(latest, { columns, rows, histories: histories.of, footer }).map(styled));
  };
  try {
    screen.onKey((key) => {
      if (quitKeys.has(key)) quit.abort();
    });
    screen.onResize(draw);
    draw();
    while (!ended.aborted) {
      latest = await unlessEnded(source.look(), ended);
      if (latest === undefined) break;
      histories.add(latest);
      draw();
      await pause(interval, ended);
    }
  } finally {
    screen.close();
  }
}

function createHistories() {
  const of = { in: createHistory(), out: createHistory(), backlog: createHistory() };
  return {
    of,
    add({ nats }: LiveStatus) {
      if ('error' in nats) return;
      const { rates, sample } = nats.value;
      const [now, out] = [totalIn(rates), totalOut(rates)];
      if (now !== undefined) of.in.add(now);
      if (out !== undefined) of.out.add(out);
      of.backlog.add(sample.streams[0]?.stream?.state.messages ?? 0);
    },
  };
}

function styled({ text, style }: Line): string {
  if (style === 'title') return styleText(['bold'], text);
  if (style === 'alarm') return styleText(['red', 'bold'], text);
  return style === 'faint' ? styleText('dim', text) : text;
}

function parseInterval(text: string): number {
  const ms = parseDuration(text);
  if (ms < 500 || ms > 3_600_000) throw new InvalidArgumentError('give a time from 500ms to 1h.');
  return ms;
}

function pause(ms: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (ended.aborted) {
      resolve();
      return;
    }
    const finish = () => {
      clearTimeout(timer);
      ended.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    ended.addEventListener('abort', finish);
  });
}

/** Undefined: it ended first. */
function unlessEnded<T>(work: Promise<T>, ended: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const finish = () => resolve(undefined);
    ended.addEventListener('abort', finish, { once: true });
    work.then(resolve, reject).finally(() => ended.removeEventListener('abort', finish));
  });
}
