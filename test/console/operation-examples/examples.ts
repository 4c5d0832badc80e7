import type { Examples } from './example.ts';
import { registryExamples } from './registry.ts';

export const examples: Examples = { ...registryExamples };
