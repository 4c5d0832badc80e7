import { redactUrls } from '../lib/redact-url.ts';

export interface ExplainedFailure {
  /** One sentence that names the address and the remedy. */
  readonly text: string;
  /** The database cannot be reached or does not let us in, rather than: it holds something else than we expect. */
  readonly unavailable: boolean;
}

/** Words an error of PostgreSQL or of the way to it; undefined where it speaks of neither. */
export function explainPostgresFailure(
  error: unknown,
  databaseUrl: string,
  origin: string,
): ExplainedFailure | undefined {
  const code = codeOf(error);
  const at = `PostgreSQL at ${shownAddress(databaseUrl)} (${origin})`;
  const unavailable = (text: string): ExplainedFailure => ({ text, unavailable: true });
  if (code === '42P01' || code === '42703' || code === '42883') {
    return { text: `${at} lacks tables of this version: run tributary migrate.`, unavailable: false };
  }
  // An audit log that takes no entry of the command line is of a version before.
  if (isAbout('audit_log', error) && (code === '23502' || code === '23514')) {
    return { text: `${at} lacks tables of this version: run tributary migrate.`, unavailable: false };
  }
  const hint = hintOf(error);
  if (code === '42501' && hint !== undefined) {
    return { text: `${at}: ${(error as Error).message}. ${hint}`, unavailable: false };
  }
  const remedy = remedies[code ?? ''];
  if (remedy !== undefined) return unavailable(`cannot use ${at}: ${remedy}`);
  if (code !== undefined && /^(08|57P)/.test(code)) return unavailable(`${at} is not answering: try again.`);
  if (error instanceof Error && /timeout|terminated/i.test(error.message)) {
    return unavailable(`${at} does not answer: is it running, and reachable from here?`);
  }
  return undefined;
}

const remedies: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there. Start it, or correct DATABASE_URL.',
  ENOTFOUND: 'the host name is unknown. Correct DATABASE_URL.',
  EAI_AGAIN: 'the host name cannot be looked up. Correct DATABASE_URL.',
  ENOENT: 'there is no such socket. Start it, or correct DATABASE_URL.',
  ETIMEDOUT: 'no answer in time. Is it reachable from here?',
  EHOSTUNREACH: 'no way to that host. Is it reachable from here?',
  ENETUNREACH: 'no way to that network. Is it reachable from here?',
  ECONNRESET: 'it closed the connection. Try again, and see its log.',
  '28P01': 'it refuses this user and password. Correct DATABASE_URL.',
  '28000': 'it does not let this user in. Correct DATABASE_URL or its pg_hba.conf.',
  '3D000': 'there is no such database. Create it, or correct DATABASE_URL.',
  '53300': 'it has too many connections open. Try again, or raise max_connections.',
};

/** Bun and Node wrap the failure when a name has several addresses. */
function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error ? codeOf(error.cause) : undefined;
}

function isAbout(table: string, error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'table' in error && error.table === table;
}

/** Our own statements say in the hint what to do. */
function hintOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('hint' in error)) return undefined;
  return typeof error.hint === 'string' ? error.hint : undefined;
}

function shownAddress(databaseUrl: string): string {
  try {
    const url = new URL(databaseUrl);
    return `${url.host}${url.pathname}`;
  } catch {
    return redactUrls(databaseUrl);
  }
}
