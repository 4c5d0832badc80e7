/**
 * What an error of the database speaks of.
 *
 * - `retry`: the server or the way to it. The same work can succeed later, unchanged.
 * - `row`: a value of a row. It fails again each time; the rest of the batch need not.
 * - `fatal`: the code, the schema or the rights. A person has to act.
 */
export type Disposition = 'retry' | 'row' | 'fatal';

/** By SQLSTATE, five characters before two (the class). What is in neither table is `fatal`. */
const dispositions: Readonly<Record<string, Disposition>> = {
  // Connection, transaction rollback (serialization, deadlock), resources (disk full, too many connections),
  // operator intervention (shutdown, cancel, timeout), the system beneath, the server's own faults.
  '08': 'retry',
  '40': 'retry',
  '53': 'retry',
  '57': 'retry',
  '58': 'retry',
  XX: 'retry',
  '25006': 'retry', // read-only: a standby, or a primary on its way to become one
  '25P03': 'retry', // the session was ended for leaving its transaction open
  '25P04': 'retry', // transaction_timeout
  '55006': 'retry', // object in use
  '55P03': 'retry', // lock_timeout
  '22': 'row', // data exception
  '23': 'row', // integrity constraint
  '54': 'row', // program limit: nesting too deep, value too large for an index
};

/** Codes of sockets and name lookups, as Node and Bun name them. */
const networkCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ERR_SOCKET_CLOSED',
]);

/** The driver's own errors about a connection carry no code. */
const lostConnection =
  /^(Connection terminated|Connection ended|Client (has encountered a connection error|was closed)|timeout (exceeded|expired)|Query read timeout)/;

/** Says whether to try again, to single out the row, or to stop. */
export function classify(error: unknown): Disposition {
  const state = sqlstateOf(error);
  if (state !== undefined) return dispositions[state] ?? dispositions[state.slice(0, 2)] ?? 'fatal';
  if (!(error instanceof Error)) return 'fatal';
  if (isOfNetwork(error) || lostConnection.test(error.message)) return 'retry';
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.every((each) => classify(each) === 'retry') ? 'retry' : 'fatal';
  }
  return 'fatal';
}

/** The five-character SQLSTATE of an error that the server sent; undefined for every other error. */
export function sqlstateOf(error: unknown): string | undefined {
  const code = codeOf(error);
  // `severity` comes with every error of the server: EPIPE alone would pass for a SQLSTATE.
  const fromServer = error instanceof Error && 'severity' in error;
  return fromServer && code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/**
 * Whether a row was refused only because `telemetry` has no partition for its time: 23514 like a failed check,
 * but without the name of a constraint.
 */
export function isMissingPartition(error: unknown): boolean {
  if (sqlstateOf(error) !== '23514') return false;
  return !(error instanceof Error && 'constraint' in error && typeof error.constraint === 'string');
}

/** The constraint that a row violated, where the error names one. */
export function constraintOf(error: unknown): string | undefined {
  if (!(error instanceof Error && 'constraint' in error)) return undefined;
  return typeof error.constraint === 'string' ? error.constraint : undefined;
}

function isOfNetwork(error: Error): boolean {
  const code = codeOf(error);
  if (code === undefined) return false;
  // A unix socket whose server is not there yet; any other ENOENT is a file that is missing.
  return networkCodes.has(code) || (code === 'ENOENT' && 'syscall' in error && error.syscall === 'connect');
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
