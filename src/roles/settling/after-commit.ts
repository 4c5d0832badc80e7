import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { createMessageLog } from '../../observe/message-log.ts';
import { CoreWriter } from '../../stream/core-writer.ts';
import { canaryEchoSubject, readingsSubject, settledSubject } from '../../stream/subjects.ts';
import { createCanaryEcho } from '../../worker/canary-echo.ts';
import type { Settled } from '../../worker/settle.ts';
import { createSettledNotices } from '../../worker/settled-notices.ts';
import { createTap } from '../../worker/tap.ts';
import { createSettledLog } from '../../worker/tell-settled.ts';

export interface AfterCommitOptions {
  readonly nc: NatsConnection;
  readonly log: Logger;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** Tells all who want to know that messages are settled. On a connection that is closed nobody hears it, and nothing fails. */
export function createAfterCommit({
  nc,
  log,
  now,
}: AfterCommitOptions): (settled: readonly Settled[]) => void {
  const writer = new CoreWriter(nc);
  const tellWaiting = createSettledNotices((settledTo, notice) => {
    const subject = settledSubject(settledTo);
    if (subject !== undefined) writer.publish(subject, notice);
  });
  const tap = createTap((tenantId, deviceId, data) =>
    writer.publish(readingsSubject(tenantId, deviceId), data),
  );
  const echoCanaries = createCanaryEcho((senderId, msgId) =>
    writer.publish(canaryEchoSubject(senderId), msgId),
  );
  const tellLog = createSettledLog(createMessageLog(log, now));
  return (settled) => {
    // Somebody waits for an answer: first.
    tellWaiting(settled);
    tap(settled);
    echoCanaries(settled);
    tellLog(settled);
  };
}
