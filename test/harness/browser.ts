import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Debian's, or what else is found; undefined where there is none. */
export function findChromium(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  return names.map((name) => Bun.which(name)).find((path) => path !== null) ?? undefined;
}

export interface TestBrowser {
  /** A page in a context of its own, whose complaints are collected. */
  open(options?: BrowserContextOptions): Promise<TestPage>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface TestPage {
  readonly page: Page;
  /** Errors that the page logged or threw, and requests that its policy stopped. */
  readonly complaints: readonly string[];
  /** Rules of axe-core that are broken gravely, each with the first place. */
  seriousViolations(): Promise<string[]>;
  /**
   * Goes through the page with the Tab key alone: what it never reaches, and where nobody sees that the focus is there.
   */
  keyboardFaults(): Promise<string[]>;
  /** How much of the present page has jumped so far, as the browser scores it: below 0.1 counts as good. */
  layoutShift(): Promise<number>;
}

const axeSource = resolve(import.meta.dir, '../../node_modules/axe-core/axe.min.js');

export async function startBrowser(executablePath: string): Promise<TestBrowser> {
  if (!existsSync(executablePath)) throw new Error(`no browser at ${executablePath}`);
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  return {
    open: (options = {}) => openPage(browser, options),
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

// Runs in each page before its own scripts. What follows a key or a click at once does not count.
const watchShifts = `
window.layoutShift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.layoutShift += entry.value;
}).observe({ type: 'layout-shift', buffered: true });
`;

async function openPage(browser: Browser, options: BrowserContextOptions): Promise<TestPage> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // A refused sign-in is an answer, not a fault: the browser logs each 4xx by itself.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      complaints.push(message.text());
    }
  });
  await page.addInitScript(watchShifts);
  return {
    page,
    complaints,
    seriousViolations: () => seriousViolations(page),
    keyboardFaults: () => keyboardFaults(page),
    layoutShift: async () => Number(await page.evaluate('window.layoutShift')),
  };
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

async function seriousViolations(page: Page): Promise<string[]> {
  // Through the debugger, since the page's policy allows no script of ours.
  const source = await Bun.file(axeSource).text();
  await page.evaluate(source);
  const { violations } = (await page.evaluate('axe.run()')) as AxeResult;
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary ?? ''}`);
}

// What takes the focus and can be seen. In a dialog nothing outside it counts.
const findStops = `
window.stops = [...(document.querySelector('dialog[open]') ?? document)
  .querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
  .filter((element) => !element.disabled && element.tabIndex >= 0 && element.checkVisibility());
window.stops.length;
`;
// A name for each element, so that it can be told from others like it.
const takeStop = `
(() => {
  const at = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(at);
  const isSeen = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1;
  const found = window.stops.indexOf(at);
  if (found >= 0) window.stops[found] = null;
  return isSeen || found < 0 ? '' : at.outerHTML.slice(0, 120);
})()
`;
const unreached = `window.stops.filter((stop) => stop !== null && stop.isConnected).map((stop) => stop.outerHTML.slice(0, 120))`;

async function keyboardFaults(page: Page): Promise<string[]> {
  const stops = Number(await page.evaluate(findStops));
  const unseen = new Set<string>();
  // A few more: the way begins wherever the focus is, and leads over the end of the page.
  for (let pressed = 0; pressed < stops + 4; pressed += 1) {
    await page.keyboard.press('Tab');
    const fault = String(await page.evaluate(takeStop));
    if (fault !== '') unseen.add(`no focus to be seen: ${fault}`);
  }
  const missed = (await page.evaluate(unreached)) as string[];
  return [...unseen, ...missed.map((stop) => `not reached by Tab: ${stop}`)];
}
