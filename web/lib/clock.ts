import { computed, signal } from '@preact/signals';

/** Now, in steps of a second: what shows an age looks at this. */
export const now = signal(Date.now());

/** Changes at midnight only. */
export const today = computed(() => new Date(now.value).toDateString());

export function startClock(): void {
  setInterval(() => {
    if (!document.hidden) now.value = Date.now();
  }, 1_000);
  document.addEventListener('visibilitychange', () => {
    now.value = Date.now();
  });
}
