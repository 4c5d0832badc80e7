/** The limit of the HTTP door: the runtime's own server parses the same body and answers 202. No NATS, no checks. */
const accepted = '{"status":"accepted"}';
const init = { status: 202, headers: { 'Content-Type': 'application/json' } };

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  development: false,
  routes: {
    '/ingest/v1/tenant/:tenant_id/device/:device_id/:msg_type': async (request) => {
      const body: unknown = await request.json();
      return typeof body === 'object' ? new Response(accepted, init) : new Response(null, { status: 400 });
    },
  },
});
console.log(JSON.stringify({ event: 'ready', port: server.port }));
process.on('SIGTERM', () => process.exit(0));
