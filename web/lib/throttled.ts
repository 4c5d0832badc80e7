import { useEffect, useRef, useState } from 'preact/hooks';

/** Counts up at most each `everyMs`, however often it is asked to: what draws depends on the count. */
export function useThrottledVersion(everyMs: number): readonly [number, () => void] {
  const [version, setVersion] = useState(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const touch = useRef(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      setVersion((before) => before + 1);
    }, everyMs);
  });
  return [version, touch.current];
}
