import { batchHttp } from './batch-http.ts';
import { drain } from './drain.ts';
import type { Figure } from './figure.ts';
import { httpLatency } from './http-latency.ts';
import { mqtt } from './mqtt.ts';
import { singleHttp } from './single-http.ts';

/** In the order in which they are measured and reported. */
export const figures: readonly Figure[] = [singleHttp, httpLatency, batchHttp, mqtt, drain];
