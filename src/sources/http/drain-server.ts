import { withDeadline } from '../../lib/deadline.ts';

/**
 * Stops a server in order: no new connections, an answer for every request that is there, until the deadline; then
 * every connection is closed, also those that never sent a whole request.
 */
export async function drainServer(
  server: Pick<Bun.Server<unknown>, 'stop'>,
  timeoutMs: number,
): Promise<void> {
  await withDeadline(server.stop(), timeoutMs, () => undefined);
  await server.stop(true);
}
