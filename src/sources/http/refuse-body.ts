import type { RefusalCode } from '../../model/errors.ts';
import { refuse } from './problem.ts';
import { acceptedEncodings, type BodyFault } from './read-body.ts';

/** Bodies come in within seconds, or time out. */
const overloadedSeconds = 2;

/** The answer to a body that could not be read; what is not what its Content-Encoding says counts as not JSON. */
export function refuseBody(request: Request, fault: BodyFault, notJson: RefusalCode): Response {
  if (fault === 'corrupt') return refuse(request, notJson);
  if (fault === 'overloaded') return refuse(request, 'unavailable', { retryAfterSeconds: overloadedSeconds });
  if (fault !== 'unsupported_encoding') return refuse(request, fault);
  return refuse(request, fault, { headers: { 'Accept-Encoding': acceptedEncodings } });
}
