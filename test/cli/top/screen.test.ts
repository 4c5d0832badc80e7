import { expect, test } from 'bun:test';
import { EventEmitter } from 'node:events';
import { openScreen } from '../../../src/cli/top/screen.ts';

class FakeOutput extends EventEmitter {
  readonly written: string[] = [];
  isTTY = true;
  columns = 80;
  rows = 3;

  write(text: string): void {
    this.written.push(text);
  }
}

class FakeKeyboard extends EventEmitter {
  readonly said: string[] = [];
  isTTY = true;

  setRawMode(raw: boolean): void {
    this.said.push(raw ? 'raw' : 'cooked');
  }

  resume(): void {
    this.said.push('resume');
  }

  pause(): void {
    this.said.push('pause');
  }
}

function open() {
  const [output, keyboard] = [new FakeOutput(), new FakeKeyboard()];
  let exit = () => {};
  const screen = openScreen(output, keyboard, (listener) => {
    exit = listener;
  });
  if (screen === undefined) throw new Error('a terminal is there');
  return { output, keyboard, screen, exit: () => exit() };
}

const leave = '\u001b[?25h\u001b[?1049l';

test('a frame is one write over what is there, without wiping it first', () => {
  const { output, screen } = open();
  expect(output.written).toEqual(['\u001b[?1049h\u001b[?25l']);
  screen.draw(['one', 'two', 'three', 'four']);
  const [, frame = ''] = output.written;
  expect(output.written).toHaveLength(2);
  expect(frame).toContain('\u001b[Hone\u001b[K\r\ntwo\u001b[K\r\nthree\u001b[K\u001b[J');
  expect(frame).not.toContain('four');
  expect(frame).not.toContain('\u001b[2J');
});

test('keys and sizes are heard until it is closed, and then the terminal is as it was', () => {
  const { output, keyboard, screen } = open();
  const heard: string[] = [];
  screen.onKey((key) => heard.push(key));
  screen.onResize(() => heard.push(`${screen.columns}x${screen.rows}`));
  keyboard.emit('data', Buffer.from('q'));
  Object.assign(output, { columns: 100, rows: 40 });
  output.emit('resize');
  expect(heard).toEqual(['q', '100x40']);
  screen.close();
  screen.close();
  screen.draw(['late']);
  expect(output.written.slice(1)).toEqual([leave]);
  expect(keyboard.said).toEqual(['raw', 'resume', 'cooked', 'pause']);
  expect([output.listenerCount('resize'), keyboard.listenerCount('data')]).toEqual([0, 0]);
});

test('whatever ends the process, the terminal comes back', () => {
  const { output, exit } = open();
  exit();
  expect(output.written.at(-1)).toBe(leave);
});

test('without a terminal there is no screen; without a keyboard one that is only looked at', () => {
  const output = new FakeOutput();
  output.isTTY = false;
  expect(openScreen(output, new FakeKeyboard(), () => {})).toBeUndefined();
  output.isTTY = true;
  const keyboard = new FakeKeyboard();
  keyboard.isTTY = false;
  openScreen(output, keyboard, () => {})?.close();
  expect(keyboard.said).toEqual([]);
});
