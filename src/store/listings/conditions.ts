/** Collects the conditions of a WHERE and their values, so that the planner sees only those that are there. */
export interface Conditions {
  /** `sql` names its value as `?`. Nothing happens where the value is undefined. */
  add(sql: string, value: unknown): void;
  /** `where …`, or nothing. */
  readonly where: string;
  readonly values: unknown[];
}

export function createConditions(): Conditions {
  const parts: string[] = [];
  const values: unknown[] = [];
  return {
    add: (sql, value) => {
      if (value === undefined) return;
      values.push(value);
      parts.push(sql.replace('?', `$${values.length}`));
    },
    get where() {
      return parts.length === 0 ? '' : `where ${parts.join(' and ')}`;
    },
    values,
  };
}

/** SQL of a condition's moment, given in ms since the epoch. */
export const givenMoment = `timestamptz 'epoch' + ?::float8 * interval '1 millisecond'`;

/** SQL that shows a timestamptz as ISO 8601 in UTC with all of its microseconds. */
export function isoTime(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}
