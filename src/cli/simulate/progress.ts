import { formatDuration } from '../output/duration.ts';
import { formatCount, formatRate } from '../output/number.ts';
import type { Terminal } from '../terminal.ts';
import type { Tally } from './tally.ts';

const linesEveryMs = 10_000;

/** Called once a second: a line that moves on a terminal, a line every ten seconds elsewhere. */
export function createProgress(
  terminal: Terminal,
  { total }: Tally,
  durationMs: number,
): (elapsedMs: number) => void {
  let last = { ...total, elapsedMs: 0 };
  return (elapsedMs) => {
    if (!terminal.errorIsTerminal && elapsedMs - last.elapsedMs < linesEveryMs) return;
    const seconds = (elapsedMs - last.elapsedMs) / 1_000;
    const perSecond = (count: number, before: number) => `${formatRate((count - before) / seconds)}/s`;
    const line = [
      `${formatDuration(elapsedMs)} of ${formatDuration(durationMs)}:`,
      `${perSecond(total.sent, last.sent)} sent,`,
      `${perSecond(total.accepted, last.accepted)} accepted,`,
      `${perSecond(total.refused + total.unknown, last.refused + last.unknown)} not;`,
      `${formatCount(total.accepted)} accepted in all`,
    ].join(' ');
    last = { ...total, elapsedMs };
    if (terminal.errorIsTerminal) terminal.progress(line);
    else terminal.note(line);
  };
}
