import type { TemplateValues } from '../model/route-destination.ts';
import type { Job } from './parcel.ts';

/** The body of a webhook: Standard Webhooks' type and timestamp, and the job as it lay on ROUTES. */
export function renderWebhookBody(jobs: readonly Job[], isBatch: boolean): string {
  const items = jobs.map(renderItem);
  if (!isBatch) return items[0] ?? '';
  const newest = jobs.map(timeOf).sort().at(-1) ?? '';
  return `{"type":"tributary.batch","timestamp":${JSON.stringify(newest)},"data":[${items.join(',')}]}`;
}

function renderItem(job: Job): string {
  const time = JSON.stringify(timeOf(job));
  return `{"type":"tributary.${job.content.kind}","timestamp":${time},"data":${job.text}}`;
}

function timeOf({ content }: Job): string {
  return content.kind === 'message' ? content.time : content.since;
}

/** What a topic's or subject's placeholders stand for. */
export function templateValues({ content }: Job): TemplateValues {
  return {
    tenant_id: content.tenantId,
    device_id: content.deviceId,
    msg_type: content.kind === 'message' ? content.msgType : 'status',
  };
}
