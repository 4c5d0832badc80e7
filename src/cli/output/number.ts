/** `1,234,567`. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `12.3`, `123`, `12,345`: three digits that matter. */
export function formatRate(value: number): string {
  return value < 100 ? String(Math.round(value * 10) / 10) : formatCount(value);
}

/** `512 B`, `1.5 KiB`, `4 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? Math.round(value * 10) / 10 : Math.round(value)} ${units[unit]}`;
}
