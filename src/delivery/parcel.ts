import { createHash } from 'node:crypto';
import { parseRouteJob, type RouteJob, routeJobId } from '../model/route-job.ts';

/** A job as it lay on ROUTES: the text is what is sent, the rest is read from it. */
export interface Job {
  readonly jobId: string;
  readonly text: string;
  readonly content: RouteJob;
}

/** What one attempt delivers: a job, or the jobs of a batch. */
export interface Parcel {
  /** The same for every attempt: the job's id, or the batch's. */
  readonly id: string;
  readonly routeId: number;
  readonly tenantId: string;
  readonly jobs: readonly Job[];
  /** More than one job may be in it, and it is sent as a batch even with one. */
  readonly isBatch: boolean;
  /** Made before. */
  readonly attempts: number;
  /** When it was first tried, or could not be: ms since the epoch. */
  readonly firstAtMs: number;
}

/** @throws Error for what is no job */
export function readJob(text: string): Job {
  const content = parseRouteJob(text);
  return { jobId: routeJobId(content), text, content };
}

export function singleParcel(job: Job, firstAtMs: number): Parcel {
  const { routeId, tenantId } = job.content;
  return { id: job.jobId, routeId, tenantId, jobs: [job], isBatch: false, attempts: 0, firstAtMs };
}

/** Named after what is in it, so that the same jobs are the same batch. At least one job, all of one route. */
export function batchParcel(jobs: readonly Job[], firstAtMs: number): Parcel {
  const [first] = jobs;
  if (first === undefined) throw new Error('A batch holds at least one job');
  const hash = createHash('sha256');
  for (const { jobId } of jobs) hash.update(`${jobId}\n`);
  const { routeId, tenantId } = first.content;
  const id = `b1.${routeId}.${hash.digest('hex').slice(0, 32)}`;
  return { id, routeId, tenantId, jobs, isBatch: true, attempts: 0, firstAtMs };
}

/** As it lies in `route_schedule.job`: the job's text; of a batch an array of such texts. */
export function encodeParcel({ jobs, isBatch }: Parcel): string {
  return isBatch ? JSON.stringify(jobs.map(({ text }) => text)) : (jobs[0]?.text ?? '');
}

/** @throws Error for what `encodeParcel` did not write */
export function readParcelJobs(text: string): Pick<Parcel, 'jobs' | 'isBatch'> {
  if (!text.startsWith('[')) return { jobs: [readJob(text)], isBatch: false };
  const texts: unknown = JSON.parse(text);
  if (!Array.isArray(texts)) throw new Error('A batch in route_schedule is no array');
  return { jobs: texts.map((each) => readJob(String(each))), isBatch: true };
}
