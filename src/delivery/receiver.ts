import type { Logger } from 'pino';
import { decodeUtf8 } from '../model/strict-json.ts';
import type { DeliveryMetrics } from '../observe/delivery.ts';
import type { PulledMessage, Puller } from '../stream/puller.ts';
import type { InHand } from './in-hand.ts';
import { describeError } from './outcome.ts';
import { type Job, readJob } from './parcel.ts';
import type { RouteBook } from './route-book.ts';

export interface ReceiverOptions {
  readonly puller: Puller;
  readonly book: RouteBook;
  readonly inHand: InHand;
  readonly onJob: (job: Job, message: PulledMessage) => void;
  /** Resolves when there is room for another batch. */
  readonly room: () => Promise<void>;
  readonly metrics: Pick<DeliveryMetrics, 'unreadable'>;
  readonly log: Logger;
}

interface ReceivedJob {
  readonly job: Job;
  readonly message: PulledMessage;
}

const maxDoubtful = 1_000;

/** Takes jobs off ROUTES until the puller stops. Each is told once the route it names is known as well as it can be. */
export async function receiveJobs(options: ReceiverOptions): Promise<void> {
  const { puller, room, book } = options;
  // Of a route that was made a moment ago, or enabled again, or that is no more: the others do not wait for the look.
  let doubtful: ReceivedJob[] = [];
  let looking: Promise<void> | undefined;
  const settleDoubts = async () => {
    while (doubtful.length > 0) {
      const jobs = doubtful;
      doubtful = [];
      await lookAgain(options);
      for (const { job, message } of jobs) options.onJob(job, message);
    }
  };
  for (let batch = await puller.next(); batch !== undefined; batch = await puller.next()) {
    const jobs = batch.flatMap((message) => read(message, options));
    const isLive = ({ job }: ReceivedJob) => book.isLive(job.content.routeId);
    for (const { job, message } of jobs.filter(isLive)) options.onJob(job, message);
    doubtful.push(...jobs.filter((each) => !isLive(each)));
    looking ??= settleDoubts().finally(() => {
      looking = undefined;
    });
    if (doubtful.length > maxDoubtful) await looking;
    await room();
  }
  await looking;
}

function read(message: PulledMessage, { inHand, metrics, log }: ReceiverOptions): ReceivedJob[] {
  const taken = inHand.take(message);
  if (taken === 'settled') message.ack();
  if (taken !== 'new') return [];
  try {
    const text = decodeUtf8(message.data);
    if (text === undefined) throw new Error('A message of ROUTES is not UTF-8');
    return [{ job: readJob(text), message }];
  } catch (error) {
    metrics.unreadable();
    const about = { event: 'job_unreadable', subject: message.subject, seq: message.seq };
    log.error({ ...about, error: describeError(error) }, 'a message on ROUTES is no job: it is dropped');
    message.ack();
    inHand.settled(message);
    return [];
  }
}

/** While the database is away, the jobs wait here: which routes there are must not be guessed. */
async function lookAgain({ book, log }: ReceiverOptions): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await book.refresh();
    } catch (error) {
      if (attempt === 0)
        log.warn({ event: 'routes_unread', error: describeError(error) }, 'routes cannot be read');
      await Bun.sleep(250);
    }
  }
}
