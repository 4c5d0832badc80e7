import type { Page } from 'playwright-core';

/** How a page behaved while it was watched. */
export interface Smoothness {
  /** Times between the frames that were drawn, ms. */
  readonly frameP50Ms: number;
  readonly frameP99Ms: number;
  readonly longestFrameMs: number;
  /** Tasks of 50 ms and more, as the browser counts them. */
  readonly longTasks: number;
  readonly longestTaskMs: number;
  readonly frames: number;
}

// Runs in the page. Text, since the benches are no code for browsers.
const watchScript = `
window.watched = { frames: [], tasks: [] };
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) window.watched.tasks.push(duration);
}).observe({ type: 'longtask', buffered: false });
let before = performance.now();
const onFrame = (at) => {
  window.watched.frames.push(at - before);
  before = at;
  requestAnimationFrame(onFrame);
};
requestAnimationFrame((at) => { before = at; requestAnimationFrame(onFrame); });
`;

interface Watched {
  readonly frames: readonly number[];
  readonly tasks: readonly number[];
}

/** Watches the page as it is now, while `use` uses it or the time passes. */
export async function watchPage(page: Page, use: () => Promise<void>): Promise<Smoothness> {
  await page.evaluate(watchScript);
  await use();
  const { frames, tasks } = (await page.evaluate('window.watched')) as Watched;
  if (frames.length === 0) throw new Error('the page drew no frame while it was watched');
  const sorted = frames.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    frameP50Ms: at(0.5),
    frameP99Ms: at(0.99),
    longestFrameMs: sorted.at(-1) ?? 0,
    longTasks: tasks.length,
    longestTaskMs: Math.max(0, ...tasks),
    frames: frames.length,
  };
}
