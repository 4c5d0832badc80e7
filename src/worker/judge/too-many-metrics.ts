import type { Draft, FormLimits } from './draft.ts';
import { metricsOf } from './metrics-of.ts';

export function tooManyMetrics(draft: Draft, { maxMetrics }: FormLimits): string | undefined {
  const count = Object.keys(metricsOf(draft)).length;
  return count <= maxMetrics ? undefined : `The message has ${count} metrics; the limit is ${maxMetrics}.`;
}
