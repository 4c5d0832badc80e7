import { deadLetterExamples } from './dead-letters.ts';
import type { Examples } from './example.ts';
import { quarantineExamples } from './quarantine.ts';
import { registryExamples } from './registry.ts';
import { routeExamples } from './routes.ts';
import { telemetryExamples } from './telemetry.ts';

export const examples: Examples = {
  ...registryExamples,
  ...telemetryExamples,
  ...quarantineExamples,
  ...routeExamples,
  ...deadLetterExamples,
};
