import { isRawNumber } from '../../model/json-text.ts';
import type { Draft } from './draft.ts';
import { shown } from './shown.ts';

/** An empty object passes: the device was heard, and its row says so. */
export function metricsInvalid({ envelope, payload, token }: Draft): string | undefined {
  const metrics = payload.metrics;
  if (metrics === undefined) {
    return envelope.msg_type === 'heartbeat' ? undefined : 'The message is telemetry without metrics.';
  }
  const isContainer = typeof metrics === 'object' && metrics !== null;
  if (isContainer && !Array.isArray(metrics) && !isRawNumber(metrics)) return undefined;
  return `The metrics are ${shown(metrics, token)}, not an object.`;
}
