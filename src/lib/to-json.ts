/** JSON text from the database, passed on as it is: parsing it would round big numbers. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Compact JSON of plain values; bigints and `JsonText` come out exactly. Members that are undefined become null. */
export function toJson(value: unknown): string {
  if (value instanceof JsonText) return value.text;
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Date) return JSON.stringify(value.toISOString());
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([name, member]) => `${JSON.stringify(name)}:${toJson(member)}`,
    );
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}

/** An array with one element a line: valid JSON, and good to grep. */
export function toJsonLines(values: readonly unknown[]): string {
  return values.length === 0 ? '[]' : `[\n${values.map(toJson).join(',\n')}\n]`;
}

/** A record as the tables name its members: `siteId` is `site_id`, and what is undefined is null. */
export function inTableWords(record: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value ?? null,
    ]),
  );
}
