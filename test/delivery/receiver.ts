export interface Received {
  readonly id: string;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly atMs: number;
}

export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
  [Symbol.dispose](): void;
}

/** A real HTTP receiver of webhooks on loopback; keeps what it gets. `answer` may never resolve. */
export function startReceiver(answer: (received: Received) => Response | Promise<Response>): Receiver {
  const received: Received[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 60,
    fetch: async (request) => {
      const one = {
        id: request.headers.get('webhook-id') ?? '',
        path: new URL(request.url).pathname,
        method: request.method,
        headers: Object.fromEntries(request.headers),
        text: await request.text(),
        atMs: performance.now(),
      };
      received.push(one);
      return answer(one);
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/hook`,
    received,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

export const ok = () => new Response('ok');
export const status = (code: number, headers: Record<string, string> = {}) =>
  new Response('no', { status: code, headers });
export const never = () => new Promise<Response>(() => undefined);
