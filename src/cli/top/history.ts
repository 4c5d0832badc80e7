/** The latest values of something, as a line of small bars. */
export interface History {
  add(value: number): void;
  /** As many bars as there is room for; the tallest stands for the largest value among them. */
  bars(width: number): string;
}

const bars = '▁▂▃▄▅▆▇█';
const kept = 240;

export function createHistory(): History {
  let values: number[] = [];
  return {
    add(value) {
      values = [...values, value].slice(-kept);
    },
    bars(width) {
      const shown = values.slice(-width);
      const largest = Math.max(...shown, Number.MIN_VALUE);
      const line = shown.map((value) =>
        value === 0 ? ' ' : bars[Math.min(bars.length - 1, Math.floor((value / largest) * bars.length))],
      );
      return line.join('').padStart(width);
    },
  };
}
