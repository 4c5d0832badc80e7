import { type Actor, reaches } from '../../model/actor.ts';
import { isOfTenant, type KeyedOperation } from '../operation.ts';
import { notFound, Problem } from '../problem.ts';

/**
 * Whether the actor may call the operation for this tenant. What belongs to another tenant looks as if it were not
 * there, whatever the key's level.
 *
 * @throws Problem `not_found`, `forbidden`
 */
export function authorize(operation: KeyedOperation, actor: Actor, tenantId: string | undefined): void {
  if (actor.kind === 'operator') return;
  if (isOfTenant(operation) && tenantId !== actor.tenantId) throw notFound();
  if (operation.access === 'operator') throw new Problem('forbidden', 'This needs an operator key');
  if (!reaches(actor.level, operation.access)) {
    throw new Problem('forbidden', `The key’s level is ${actor.level}; this needs ${operation.access}`);
  }
}
