import { redactUrls } from './redact-url.ts';

/** What was thrown, in a sentence, without the passwords of the addresses in it. */
export function sentenceOf(error: unknown): string {
  return redactUrls(wordsOf(error));
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // An AggregateError (several addresses tried) has its words in its parts.
  if (error.message === '' && error instanceof AggregateError) return error.errors.map(wordsOf).join('; ');
  return error.message === '' ? error.name : error.message;
}
