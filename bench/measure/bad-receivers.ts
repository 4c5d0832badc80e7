/** Where routes of a figure lead to that never, or not always, take what they are sent. */
export interface BadReceivers {
  /** A port on which nobody listens. */
  readonly down: string;
  /** Takes the request and never answers. */
  readonly hanging: string;
  /** Answers 500 to every request. */
  readonly failing: string;
  /** Answers 500 to every second request. */
  readonly flaky: string;
  /** Answers 429, and asks for two seconds. */
  readonly busy: string;
  /** Answers 410. */
  readonly gone: string;
  stop(): void;
}

/** On loopback: a role that delivers to them has `destinationsOnLoopback` in its environment. */
export function startBadReceivers(): BadReceivers {
  let asked = 0;
  const busy = { status: 429, headers: { 'retry-after': '2' } };
  const answers = {
    down: () => new Response('ok'),
    hanging: () => new Promise<Response>(() => undefined),
    failing: () => new Response('no', { status: 500 }),
    flaky: () => {
      asked += 1;
      return asked % 2 === 0 ? new Response('no', { status: 500 }) : new Response('ok');
    },
    busy: () => new Response('no', busy),
    gone: () => new Response('no', { status: 410 }),
  };
  const start = (fetch: () => Response | Promise<Response>) =>
    Bun.serve({ hostname: '127.0.0.1', port: 0, idleTimeout: 60, fetch });
  const servers = {
    down: start(answers.down),
    hanging: start(answers.hanging),
    failing: start(answers.failing),
    flaky: start(answers.flaky),
    busy: start(answers.busy),
    gone: start(answers.gone),
  };
  const urlOf = ({ port }: { readonly port?: number | undefined }) => `http://127.0.0.1:${port}/`;
  const down = urlOf(servers.down);
  void servers.down.stop(true);
  return {
    down,
    hanging: urlOf(servers.hanging),
    failing: urlOf(servers.failing),
    flaky: urlOf(servers.flaky),
    busy: urlOf(servers.busy),
    gone: urlOf(servers.gone),
    stop: () => {
      for (const server of Object.values(servers)) void server.stop(true);
    },
  };
}

export const destinationsOnLoopback = { TRIBUTARY_ALLOW_DESTINATIONS: '127.0.0.0/8' } as const;
