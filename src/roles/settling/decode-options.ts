import type { Config } from '../../config/settings.ts';
import { streamName } from '../../stream/subjects.ts';
import type { DecodeOptions } from '../../worker/decode.ts';

/** What a message's form is judged by, in workers and by replays. */
export function decodeOptionsOf(config: Config): DecodeOptions {
  return {
    stream: streamName,
    maxBodyBytes: config.maxBodyBytes,
    maxMetrics: config.maxMetrics,
    maxAheadMs: config.maxAheadMs,
    retentionMs: config.retentionDays * 86_400_000,
  };
}
