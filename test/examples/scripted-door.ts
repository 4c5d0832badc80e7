/** A gateway whose answers the test sets, for what a real one cannot be told to do at a given moment. */
export interface ScriptedDoor {
  readonly url: string;
  readonly requests: readonly DoorRequest[];
  [Symbol.asyncDispose](): Promise<void>;
}

export interface DoorRequest {
  readonly path: string;
  readonly token: string | null;
  readonly idempotencyKey: string | null;
  readonly body: string;
  readonly status: number;
}

export interface ScriptedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const accepted: ScriptedAnswer = { status: 202 };

/** Gives each request the next answer; when there are no more, 202. */
export function startScriptedDoor(script: readonly ScriptedAnswer[], port = 0): ScriptedDoor {
  const left = [...script];
  const requests: DoorRequest[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port,
    async fetch(request) {
      const { status, headers = {} } = left.shift() ?? accepted;
      requests.push({
        path: new URL(request.url).pathname,
        token: request.headers.get('x-provision-token'),
        idempotencyKey: request.headers.get('idempotency-key'),
        body: await request.text(),
        status,
      });
      return new Response(status === 202 ? '{"status":"accepted"}' : '{"detail":"scripted"}', {
        status,
        headers,
      });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** A network that cuts every connection. */
export function startBrokenLine(): { readonly port: number; stop(): Promise<void> } {
  const server = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: { open: (socket) => socket.terminate(), data: () => undefined },
  });
  return {
    port: server.port,
    stop: async () => server.stop(true),
  };
}
