/**
 * Receives a route's webhooks: checks the signature, forgets what it has had, answers at once.
 *
 *   WEBHOOK_SECRET=whsec_… node_modules/.bin/bun examples/webhook/receiver.ts
 */
import { Webhook } from 'standardwebhooks';

const secret = process.env.WEBHOOK_SECRET;
if (secret === undefined) {
  console.error('WEBHOOK_SECRET is not set: give it what tributary route add has shown.');
  process.exit(2);
}
const webhook = new Webhook(secret);

// Delivery is at least once. A real receiver remembers the ids as long as what it makes of the messages.
const seen = new Set<string>();

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.env.PORT ?? 9000),
  fetch: async (request) => {
    const body = await request.text();
    try {
      // Also refuses what was signed more than five minutes ago.
      webhook.verify(body, Object.fromEntries(request.headers));
    } catch (error) {
      console.log(`refused: ${error instanceof Error ? error.message : String(error)}`);
      return new Response('wrong signature', { status: 401 });
    }
    const id = request.headers.get('webhook-id') ?? '';
    if (seen.has(id)) console.log(`again: ${id}`);
    else console.log(body);
    seen.add(id);
    return new Response(null, { status: 204 });
  },
});

console.log(`listening on ${server.url}`);
