import { RouteFault } from '../model/route-fault.ts';
import { classify } from '../store/errors.ts';
import { RegistryError } from '../store/registry/registry-error.ts';
import { notFound, Problem } from './problem.ts';

const awayRetrySeconds = 5;

/** What an error under an operation is answered with. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof RegistryError) return problemOfRegistry(error);
  if (error instanceof RouteFault) {
    const { field, position, message } = error;
    const members = { field, ...(position === undefined ? {} : { position }) };
    return new Problem('invalid_input', `${field}: ${message}`, { members });
  }
  const disposition = classify(error);
  if (disposition === 'retry') {
    return new Problem('unavailable', undefined, { retryAfterSeconds: awayRetrySeconds, cause: error });
  }
  // Schemas and texts are checked before; what is left is a value that only the database can judge.
  if (disposition === 'row') {
    return new Problem('invalid_input', 'PostgreSQL refuses a value of the request', { cause: error });
  }
  return new Problem('internal', undefined, { cause: error });
}

function problemOfRegistry(error: RegistryError): Problem {
  if (error.code.endsWith('_not_found')) return notFound();
  return new Problem('conflict', error.message, { cause: error });
}
