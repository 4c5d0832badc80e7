/** A JSON number that a double would change, kept as the device wrote it. */
export class ExactNumber {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }

  toJSON(): number {
    return Number(this.text);
  }
}

/** Browsers that do not tell a number's source (before 2025) show the nearest double. */
export function parseExact(text: string): unknown {
  return JSON.parse(text, ((_key: string, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source;
    if (typeof value !== 'number' || source === undefined) return value;
    return isExact(value, source) ? value : new ExactNumber(source);
  }) as (key: string, value: unknown) => unknown);
}

function isExact(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return false;
  if (Number.isInteger(value) && !/[.eE]/.test(source)) return Number.isSafeInteger(value);
  return significantDigits(source) <= 15;
}

function significantDigits(source: string): number {
  const mantissa = source.replace(/[eE].*$/, '').replace(/[-.]/g, '');
  return mantissa.replace(/^0+/, '').replace(/0+$/, '').length;
}
