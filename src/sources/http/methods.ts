import { problem } from './problem.ts';

export type Method = 'GET' | 'POST';

/**
 * A route that takes one method (a GET answers HEAD too). OPTIONS tells what it takes, anything else is a 405;
 * there are no CORS headers, since devices are no browsers.
 */
export function only<R extends Request>(
  method: Method,
  handle: (request: R) => Response | Promise<Response>,
): (request: R) => Response | Promise<Response> {
  const allow = method === 'GET' ? 'GET, HEAD, OPTIONS' : 'POST, OPTIONS';
  return (request) => {
    if (request.method === method || (request.method === 'HEAD' && method === 'GET')) return handle(request);
    if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: { Allow: allow } });
    return problem('method_not_allowed', { headers: { Allow: allow } });
  };
}
