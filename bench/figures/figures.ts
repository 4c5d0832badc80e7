import { batchHttp } from './batch-http.ts';
import { consolePages } from './console.ts';
import { cpu } from './cpu.ts';
import { delivery } from './delivery.ts';
import { drain } from './drain.ts';
import type { Figure } from './figure.ts';
import { growth } from './growth.ts';
import { httpLatency } from './http-latency.ts';
import { memory } from './memory.ts';
import { mqtt } from './mqtt.ts';
import { receipts } from './receipts.ts';
import { routes } from './routes.ts';
import { series } from './series.ts';
import { singleHttp } from './single-http.ts';
import { wholeSystem } from './whole-system.ts';

/** In the order in which they are measured and reported. */
export const figures: readonly Figure[] = [
  singleHttp,
  httpLatency,
  batchHttp,
  mqtt,
  drain,
  routes,
  delivery,
  receipts,
  series,
  consolePages,
  wholeSystem,
  cpu,
  memory,
  growth,
];
