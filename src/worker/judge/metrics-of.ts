import { isRawNumber } from '../../model/json-text.ts';
import type { Draft, Fields } from './draft.ts';

/** The metrics of a message that has passed METRICS_INVALID; empty for a heartbeat without. */
export function metricsOf({ payload }: Pick<Draft, 'payload'>): Fields {
  const metrics = payload.metrics;
  if (typeof metrics !== 'object' || metrics === null || isRawNumber(metrics)) return {};
  return metrics as Fields;
}
