import type { Logger } from 'pino';

/** What is said of single messages; nothing of those that simply are stored. */
const events = {
  message_refused: 'a message was refused at the door',
  message_duplicate: 'a message came again',
  message_quarantined: 'a message was quarantined',
  job_retried: 'a job of a route was not delivered and is tried again',
  job_given_up: 'a job of a route was given up: it is a dead letter',
} as const;

export type MessageEvent = keyof typeof events;

/** Which message a line is about, as far as that is known. Never the token. */
export interface MessageAbout {
  readonly tenantId?: string | undefined;
  readonly deviceId?: string | undefined;
  /** 32 hex digits: the same for every send of one message, and the first column of its row. */
  readonly identity?: string | undefined;
  /** In TELEMETRY. */
  readonly seq?: number | undefined;
  /** Of the trace that it is followed by. */
  readonly traceId?: string | undefined;
  readonly [more: string]: unknown;
}

export interface MessageLog {
  /** `about` is asked only when the line is written. */
  tell(event: MessageEvent, about: () => MessageAbout): void;
}

export const messageLogDefaults = {
  /** Of each event: a fleet with an old token must not fill the disk. The metrics count all of them. */
  linesPerSecond: 20,
} as const;

interface Window {
  since: number;
  written: number;
  unsaid: number;
}

/**
 * Lines about single messages, at most so many a second of each event; the next line that is written says how many were
 * not (`unsaid`). At the level debug all are written.
 * @param now milliseconds, monotonic
 */
export function createMessageLog(log: Logger, now: () => number): MessageLog {
  const windows = new Map<MessageEvent, Window>();
  return {
    tell(event, about) {
      if (log.isLevelEnabled('debug')) {
        log.info({ event, ...about() }, events[event]);
        return;
      }
      const window = windows.getOrInsertComputed(event, () => ({ since: now(), written: 0, unsaid: 0 }));
      if (now() - window.since >= 1_000) {
        window.since = now();
        window.written = 0;
      }
      if (window.written >= messageLogDefaults.linesPerSecond) {
        window.unsaid += 1;
        return;
      }
      window.written += 1;
      const unsaid = window.unsaid === 0 ? {} : { unsaid: window.unsaid };
      window.unsaid = 0;
      log.info({ event, ...about(), ...unsaid }, events[event]);
    },
  };
}
