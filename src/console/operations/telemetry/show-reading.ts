import Type from 'typebox';
import { JsonText } from '../../../lib/to-json.ts';
import type { ReadingRow } from '../../../store/series/select-readings.ts';
import { anyJson, closed, nullable, oneOf, timeSchema } from '../../schemas.ts';

export const readingSchema = closed({
  time: timeSchema,
  arrived_at: timeSchema,
  site_id: Type.String(),
  msg_type: oneOf(['telemetry', 'heartbeat']),
  seq: nullable(Type.Integer()),
  metrics: Type.Record(Type.String(), anyJson, { description: 'numbers as sent, to the last digit' }),
  extra: nullable(Type.Record(Type.String(), anyJson)),
});

export function showReading({ time, arrived_at, site_id, msg_type, seq, metrics, extra }: ReadingRow) {
  return {
    time,
    arrived_at,
    site_id,
    msg_type,
    seq,
    metrics: new JsonText(metrics),
    extra: extra === null ? null : new JsonText(extra),
  };
}
