import type { Invocation } from '../define-command.ts';

/** Who says to do something: as given, else the user of the system. */
export function userOf(given: string | undefined, { environment }: Pick<Invocation, 'environment'>): string {
  return given ?? environment.USER ?? environment.LOGNAME ?? 'unknown';
}
