import { useEffect, useRef } from 'preact/hooks';
import type { Reading } from './types.ts';

/** One feed of a page's device, heard by each of its charts. */
export interface ReadingHub {
  publish(reading: Reading): void;
  /** Something was missed: what is shown has to be loaded anew. */
  publishLoss(): void;
  subscribe(listener: ReadingListener): () => void;
}

export interface ReadingListener {
  readonly onReading: (reading: Reading) => void;
  readonly onLoss?: () => void;
}

export function createReadingHub(): ReadingHub {
  const listeners = new Set<ReadingListener>();
  return {
    publish: (reading) => {
      for (const { onReading } of listeners) onReading(reading);
    },
    publishLoss: () => {
      for (const { onLoss } of listeners) onLoss?.();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useReadings(hub: ReadingHub, listener: ReadingListener): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(
    () =>
      hub.subscribe({
        onReading: (reading) => latest.current.onReading(reading),
        onLoss: () => latest.current.onLoss?.(),
      }),
    [hub],
  );
}
