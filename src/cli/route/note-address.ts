import type { Destination } from '../../model/route-destination.ts';
import { noteOnDestination } from '../../roles/routes/note-on-destination.ts';
import type { Invocation } from '../define-command.ts';

/** Says so at once where the address itself shows that delivery will refuse it unless told otherwise. */
export function noteAddress({ terminal }: Pick<Invocation, 'terminal'>, destination: Destination): void {
  const why = noteOnDestination(destination);
  if (why !== undefined) terminal.note(`Note: ${why}; what is set for this command does not count.`);
}
