import { isObject } from './is-object.ts';
import type { OperatorAuth } from './operator-auth.ts';
import { problem } from './problem.ts';

export const rateLimitsPath = '/ingest/v1/metrics/rate-limits';

export interface RateLimitsOptions {
  readonly operatorAuth: OperatorAuth;
  /** Asks every live worker; one answer each, as JSON. Rejects when NATS cannot be asked. */
  readonly askWorkers: () => Promise<readonly Uint8Array[]>;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
}

/** `GET /ingest/v1/metrics/rate-limits`: what the live workers' limiters have counted. Operators only. */
export function createRateLimitsRoute({ operatorAuth, askWorkers, wallClock }: RateLimitsOptions) {
  return async (request: Request): Promise<Response> => {
    const refused = await refuseStranger(operatorAuth, request);
    if (refused !== undefined) return refused;
    let answers: readonly Uint8Array[];
    try {
      answers = await askWorkers();
    } catch {
      return problem('unavailable', {
        detail: 'The workers cannot be asked: NATS is away',
        retryAfterSeconds: 5,
      });
    }
    const workers = answers.map(parseAnswer).filter((answer) => answer !== undefined);
    const timestamp = new Date(wallClock()).toISOString();
    const body = { rate_limit_stats: addUp(workers), workers, timestamp };
    return Response.json(body, { headers: { 'Cache-Control': 'no-store' } });
  };
}

async function refuseStranger(operatorAuth: OperatorAuth, request: Request): Promise<Response | undefined> {
  try {
    if ((await operatorAuth.check(request.headers.get('Authorization'))) !== undefined) return undefined;
  } catch {
    return problem('operator_check_failed', { retryAfterSeconds: 5 });
  }
  return problem('unauthorized', { headers: { 'WWW-Authenticate': 'Bearer realm="tributary"' } });
}

function parseAnswer(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const answer: unknown = JSON.parse(Buffer.from(bytes).toString());
    return isObject(answer) ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** The workers' `stats` in one: numbers are added up, objects member by member; what is neither is left out. */
function addUp(workers: readonly Record<string, unknown>[]): Record<string, unknown> {
  const sum: Record<string, unknown> = {};
  for (const { stats } of workers) if (isObject(stats)) addInto(sum, stats);
  return sum;
}

function addInto(sum: Record<string, unknown>, stats: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(stats)) {
    const before = Object.hasOwn(sum, name) ? sum[name] : undefined;
    if (typeof value === 'number') sum[name] = (typeof before === 'number' ? before : 0) + value;
    else if (isObject(value)) {
      const inner = isObject(before) ? before : {};
      addInto(inner, value);
      sum[name] = inner;
    }
  }
}
