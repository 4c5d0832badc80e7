/** A terminal that is drawn on as a whole. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** Replaces what is shown. Lines that are too many are left out. */
  draw(lines: readonly string[]): void;
  /** Called for each key, as the bytes that it sends. */
  onKey(listener: (key: string) => void): void;
  onResize(listener: () => void): void;
  /** Gives the terminal back as it was. */
  close(): void;
}

export interface ScreenOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

export interface Keyboard {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
  resume(): unknown;
  pause(): unknown;
  on(event: 'data', listener: (data: Uint8Array) => void): unknown;
  off(event: 'data', listener: (data: Uint8Array) => void): unknown;
}

const control = '\u001b[';
/** The other screen, so that what was there comes back; and no cursor. */
const enter = `${control}?1049h${control}?25l`;
const leave = `${control}?25h${control}?1049l`;
/** Terminals that know it show a frame when it is complete; others leave it out. */
const beginFrame = `${control}?2026h${control}H`;
const endFrame = `${control}J${control}?2026l`;
const restOfLine = `${control}K`;

/**
 * Takes over the terminal until `close`, or until the process ends. Undefined where standard output is none.
 * @param onExit `process.on('exit', …)`: whatever ends the process, the terminal comes back
 */
export function openScreen(
  output: ScreenOutput,
  keyboard: Keyboard,
  onExit: (listener: () => void) => void,
): Screen | undefined {
  if (output.isTTY !== true) return undefined;
  const readsKeys = keyboard.isTTY === true && keyboard.setRawMode !== undefined;
  const cleanups: (() => void)[] = [];
  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    for (const cleanup of cleanups) cleanup();
    if (readsKeys) {
      keyboard.setRawMode?.(false);
      keyboard.pause();
    }
    output.write(leave);
  };
  onExit(close);
  output.write(enter);
  if (readsKeys) {
    keyboard.setRawMode?.(true);
    keyboard.resume();
  }
  return {
    get columns() {
      return output.columns ?? 80;
    },
    get rows() {
      return output.rows ?? 24;
    },
    draw(lines) {
      if (!isOpen) return;
      // One write, and over what is there instead of after wiping it: so nothing flickers.
      const shown = lines.slice(0, output.rows ?? 24).map((line) => `${line}${restOfLine}`);
      output.write(`${beginFrame}${shown.join('\r\n')}${endFrame}`);
    },
    onKey(listener) {
      const listen = (data: Uint8Array) => listener(new TextDecoder().decode(data));
      keyboard.on('data', listen);
      cleanups.push(() => keyboard.off('data', listen));
    },
    onResize(listener) {
      output.on('resize', listener);
      cleanups.push(() => output.off('resize', listener));
    },
    close,
  };
}
