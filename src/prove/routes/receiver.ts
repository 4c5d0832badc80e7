import { createHash, createHmac } from 'node:crypto';

/** What came in of one job, over whatever way. */
export class ReceivedJob {
  readonly jobId: string;
  /** Under which ids, and as which bytes; one of each, however often it came. */
  readonly ids = new Set<string>();
  readonly bodies = new Set<string>();
  /** Requests whose signature is not one of their bytes. */
  forged = 0;
  yes = 0;
  no = 0;

  constructor(jobId: string) {
    this.jobId = jobId;
  }
}

/** By job id. */
export class ReceivedJobs extends Map<string, ReceivedJob> {
  /** Writes down that it came once more. */
  came(jobId: string, id: string, body: string): ReceivedJob {
    const job = this.get(jobId) ?? new ReceivedJob(jobId);
    this.set(jobId, job);
    job.ids.add(id);
    job.bodies.add(createHash('sha256').update(body).digest('base64'));
    return job;
  }
}

export interface WebhookReceiver {
  readonly url: string;
  /** Whether `/refused` says no, for good. */
  refusing: boolean;
  stop(): Promise<void>;
}

/** Where requests are signed. */
export const signedPath = '/all';
/** Of the routes there; a stack's routes are nobody's but its own. */
export const signingSecret = `whsec_${Buffer.alloc(32, 0x5a).toString('base64')}`;

/** One first attempt in so many fails, at `/flaky`. */
const failingShare = 7;

/**
 * A real HTTP receiver that writes down what it is sent. `/flaky` fails some first attempts with 500, `/refused` answers
 * 422 while it is refusing; everything else is 204.
 */
export function startWebhookReceiver(jobs: ReceivedJobs): WebhookReceiver {
  const receiver = { refusing: true };
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: async (request) => {
      const body = await request.text();
      const { pathname } = new URL(request.url);
      const job = jobs.came(webhookJobId(body), request.headers.get('webhook-id') ?? '', body);
      if (pathname === signedPath && !isSigned(request.headers, body)) job.forged += 1;
      const status = answerOf(pathname, job, receiver.refusing);
      if (status === 204) job.yes += 1;
      else job.no += 1;
      return new Response(null, { status });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    get refusing() {
      return receiver.refusing;
    },
    set refusing(value) {
      receiver.refusing = value;
    },
    stop: () => server.stop(true),
  };
}

/** As Standard Webhooks has it, said once more than the product does. */
function isSigned(headers: Headers, body: string): boolean {
  const key = Buffer.from(signingSecret.slice('whsec_'.length), 'base64');
  const signed = `${headers.get('webhook-id')}.${headers.get('webhook-timestamp')}.${body}`;
  const wanted = `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
  return headers.get('webhook-signature')?.split(' ').includes(wanted) === true;
}

function answerOf(path: string, { jobId, yes, no }: ReceivedJob, refusing: boolean): number {
  if (path === '/refused' && refusing) return 422;
  const isFirst = yes + no === 0;
  const isChosen = Number.parseInt(jobId.slice(-6), 16) % failingShare === 0;
  return path === '/flaky' && isFirst && isChosen ? 500 : 204;
}

function webhookJobId(body: string): string {
  const { data } = JSON.parse(body) as { readonly data?: unknown };
  return jobIdOf(data);
}

export function jobIdOf(job: unknown): string {
  return String((job as { readonly job_id?: unknown } | undefined)?.job_id);
}
