import { computed, signal } from '@preact/signals';

export type Level = 'read' | 'write' | 'admin';

export interface Session {
  readonly operator: boolean;
  readonly tenant_id: string | null;
  /** Null: an operator's key may do everything. */
  readonly level: Level | null;
  readonly key_name: string;
  readonly csrf: string | null;
}

/** Undefined until the console has said whether there is one. */
export const session = signal<Session | null | undefined>(undefined);

/** Why the sign-in page is shown, where that needs a word. */
export const signedOutBecause = signal('');

export const isOperator = computed(() => session.value?.operator === true);

const ranks = { read: 0, write: 1, admin: 2 } as const;

/** Whether the key behind the session may do what needs this level. The API decides; this hides what it would refuse. */
export function may(level: Level): boolean {
  const current = session.value;
  if (current === null || current === undefined) return false;
  return current.operator || (current.level !== null && ranks[current.level] >= ranks[level]);
}

export const csrfToken = (): string => session.value?.csrf ?? '';

export function endSession(why: string): void {
  if (session.value === null) return;
  signedOutBecause.value = why;
  session.value = null;
}
