/** What came in of one job. */
export interface ReceivedJob {
  readonly jobId: string;
  /** Of the requests that it came in; one, however often it came. */
  readonly webhookIds: Set<string>;
  yes: number;
  no: number;
}

export interface WebhookReceiver {
  readonly url: string;
  /** By job id. */
  readonly jobs: ReadonlyMap<string, ReceivedJob>;
  /** Whether `/refused` says no, for good. */
  refusing: boolean;
  stop(): Promise<void>;
}

/** One first attempt in so many fails, at `/flaky`. */
const failingShare = 7;

/**
 * A real HTTP receiver that writes down what it is sent. `/flaky` fails some first attempts with 500, `/refused` answers
 * 422 while it is refusing; everything else is 204.
 */
export function startWebhookReceiver(): WebhookReceiver {
  const jobs = new Map<string, ReceivedJob>();
  const receiver = { refusing: true };
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: async (request) => {
      const webhookId = request.headers.get('webhook-id') ?? '';
      const jobId = jobIdOf(await request.json());
      const job = jobs.get(jobId) ?? { jobId, webhookIds: new Set(), yes: 0, no: 0 };
      jobs.set(jobId, job);
      job.webhookIds.add(webhookId);
      const status = answerOf(new URL(request.url).pathname, job, receiver.refusing);
      if (status === 204) job.yes += 1;
      else job.no += 1;
      return new Response(null, { status });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    jobs,
    get refusing() {
      return receiver.refusing;
    },
    set refusing(value) {
      receiver.refusing = value;
    },
    stop: () => server.stop(true),
  };
}

function answerOf(path: string, { jobId, yes, no }: ReceivedJob, refusing: boolean): number {
  if (path === '/refused' && refusing) return 422;
  const isFirst = yes + no === 0;
  const isChosen = Number.parseInt(jobId.slice(-6), 16) % failingShare === 0;
  return path === '/flaky' && isFirst && isChosen ? 500 : 204;
}

function jobIdOf(body: unknown): string {
  const { data } = body as { readonly data?: { readonly job_id?: unknown } };
  return String(data?.job_id);
}
