type Server = Pick<Bun.Server<unknown>, 'stop' | 'pendingRequests'>;

const pollMs = 10;

/**
 * Stops a server in order: no new connections, an answer for every request that is there, until the deadline.
 * `stop()` alone would wait for every connection, also for those that never sent a whole request.
 */
export async function drainServer(server: Server, timeoutMs: number, now: () => number): Promise<void> {
  const deadlineMs = now() + timeoutMs;
  let stopped = false;
  const stopping = server.stop().then(() => {
    stopped = true;
  });
  while (!stopped && server.pendingRequests > 0 && now() < deadlineMs) await Bun.sleep(pollMs);
  await server.stop(true);
  await stopping;
}
