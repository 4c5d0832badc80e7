/**
 * The rival's door: the brief, ported straight to TypeScript. Fastify on Node, one `js.publish` promise a message,
 * 202 after its PubAck. The checks are the brief's: form only, the worker validates.
 */
import { type JetStreamClient, jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';

interface SingleParams {
  readonly tenant_id: string;
  readonly device_id: string;
  readonly msg_type: string;
}

type Payload = Record<string, unknown>;
type Result = { index: number; status: 'accepted' } | { index: number; status: 'rejected'; reason: string };

const nc = await connect({ servers: process.env.NATS_URL ?? '', noAsyncTraces: true });
const app = Fastify({ bodyLimit: 1024 * 1024 });
addSingleRoute(app, jetstream(nc));
addBatchRoute(app, jetstream(nc));
await app.listen({ host: '127.0.0.1', port: 0 });
const address = app.server.address();
const port = typeof address === 'object' ? address?.port : undefined;
console.log(JSON.stringify({ event: 'ready', port }));
process.on('SIGTERM', () => process.exit(0));

function addSingleRoute(app: FastifyInstance, js: JetStreamClient): void {
  app.post<{ Params: SingleParams; Body: unknown }>(
    '/ingest/v1/tenant/:tenant_id/device/:device_id/:msg_type',
    async (request, reply) => {
      const token = request.headers['x-provision-token'];
      if (typeof token !== 'string' || token === '') return refuse(reply, 401, 'Missing X-Provision-Token');
      const { tenant_id, device_id, msg_type } = request.params;
      if (!isMsgType(msg_type)) return refuse(reply, 400, 'Invalid msg_type');
      if (!isPayload(request.body)) return refuse(reply, 400, 'Invalid JSON body');
      const payload = { ...request.body, provision_token: token };
      try {
        await js.publish(`telemetry.${tenant_id}`, envelope(tenant_id, device_id, msg_type, payload));
      } catch {
        return refuse(reply, 503, 'Ingestion temporarily unavailable');
      }
      return reply.code(202).send({ status: 'accepted' });
    },
  );
}

function addBatchRoute(app: FastifyInstance, js: JetStreamClient): void {
  app.post<{ Body: unknown }>('/ingest/v1/batch', async (request, reply) => {
    if (!isPayload(request.body)) return refuse(reply, 400, 'Invalid JSON');
    const { messages } = request.body;
    if (!Array.isArray(messages) || messages.length === 0) return refuse(reply, 400, 'No messages');
    if (messages.length > 100) return refuse(reply, 400, 'Max 100 messages per batch');
    // All at once: the brief's loop waits for nothing between two messages.
    const results = await Promise.all(messages.map((message, index) => publishItem(js, message, index)));
    const accepted = results.filter(({ status }) => status === 'accepted').length;
    return reply.send({ accepted, rejected: results.length - accepted, results });
  });
}

async function publishItem(js: JetStreamClient, message: unknown, index: number): Promise<Result> {
  const item = isPayload(message) ? message : {};
  const { tenant_id, device_id, provision_token, msg_type = 'telemetry' } = item;
  if (typeof tenant_id !== 'string' || typeof device_id !== 'string') {
    return { index, status: 'rejected', reason: 'missing tenant_id or device_id' };
  }
  if (!provision_token) return { index, status: 'rejected', reason: 'missing provision_token' };
  try {
    await js.publish(`telemetry.${tenant_id}`, envelope(tenant_id, device_id, String(msg_type), item));
    return { index, status: 'accepted' };
  } catch {
    return { index, status: 'rejected', reason: 'publish_failed' };
  }
}

function envelope(tenantId: string, deviceId: string, msgType: string, payload: Payload): string {
  return JSON.stringify({
    topic: `tenant/${tenantId}/device/${deviceId}/${msgType}`,
    tenant_id: tenantId,
    device_id: deviceId,
    msg_type: msgType,
    username: '',
    payload,
    ts: Date.now(),
  });
}

function refuse(reply: FastifyReply, status: number, detail: string): FastifyReply {
  return reply.code(status).send({ detail });
}

function isMsgType(text: string): boolean {
  return text === 'telemetry' || text === 'heartbeat';
}

function isPayload(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
