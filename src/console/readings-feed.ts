import type { NatsConnection } from '@nats-io/nats-core';
import type { DeviceId, TenantId } from '../model/identifiers.ts';
import { readingsSubjects } from '../stream/subjects.ts';

/** Of one tenant or all, of one device or all of the tenant's. */
export interface Followed {
  readonly tenantId?: TenantId | undefined;
  readonly deviceId?: DeviceId | undefined;
}

export interface ReadingsFeed {
  /** Whether there is a connection to hear from. */
  readonly isOpen: boolean;
  /**
   * Calls `onReading` with each reading that is stored from now on, as the tap publishes it (JSON text). Only while
   * `isOpen`. @returns what ends that
   */
  follow(followed: Followed, onReading: (text: string) => void): () => void;
}

type Tell = (text: string) => void;

/**
 * The live readings for all who follow: one subscription for all that follow the same, as long as there are any, so that
 * each reading comes over NATS and is decoded once.
 */
export function createReadingsFeed(nats: () => NatsConnection | undefined): ReadingsFeed {
  const sources = new Map<string, { readonly followers: Set<Tell>; readonly end: () => void }>();

  function begin(subject: string) {
    const followers = new Set<Tell>();
    const subscription = nats()?.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) return;
        const text = message.string();
        for (const tell of followers) tell(text);
      },
    });
    const end = () => {
      sources.delete(subject);
      subscription?.unsubscribe();
    };
    const source = { followers, end };
    sources.set(subject, source);
    return source;
  }

  return {
    get isOpen() {
      return nats()?.isClosed() === false;
    },
    follow: ({ tenantId, deviceId }, onReading) => {
      const subject = readingsSubjects(tenantId, deviceId);
      const { followers, end } = sources.get(subject) ?? begin(subject);
      // One of its own: the same function may follow twice.
      const tell: Tell = (text) => onReading(text);
      followers.add(tell);
      return () => {
        if (followers.delete(tell) && followers.size === 0) end();
      };
    },
  };
}
