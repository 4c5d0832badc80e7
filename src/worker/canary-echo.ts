import type { Settled } from './settle.ts';

/** Publishes on core NATS: fire and forget. `senderId` is safe in a subject. */
export type PublishEcho = (senderId: string, msgId: string) => void;

/**
 * Tells the sender of each canary that it is committed, by the id under which it was sent. Also of one that was
 * claimed before: its worker may have died between COMMIT and echo.
 */
export function createCanaryEcho(publish: PublishEcho): (settled: readonly Settled[]) => void {
  return (settled) => {
    for (const { entry } of settled) {
      const { result, deviceId, raw } = entry.decoded;
      if (result.form === 'internal' && deviceId !== undefined && raw.msgId !== undefined) {
        publish(deviceId, raw.msgId);
      }
    }
  };
}
