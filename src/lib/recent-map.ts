/** A map that forgets what was not used for long. */
export interface RecentMap<K, V> {
  /** The value under `key`, made when there is none. */
  use(key: K): V;
  find(key: K): V | undefined;
  /** In no order. */
  entries(): readonly (readonly [K, V])[];
}

/**
 * Holds at least the `keep` keys that were used last, and at most twice as many: when the young generation is full it
 * becomes the old one, and what is used again moves over.
 */
export function createRecentMap<K, V extends object>(make: () => V, keep: number): RecentMap<K, V> {
  let young = new Map<K, V>();
  let old = new Map<K, V>();
  return {
    use(key) {
      const found = young.get(key);
      if (found !== undefined) return found;
      const value = old.get(key) ?? make();
      old.delete(key);
      if (young.size >= keep) {
        old = young;
        young = new Map();
      }
      young.set(key, value);
      return value;
    },
    find: (key) => young.get(key) ?? old.get(key),
    entries: () => [...young, ...old],
  };
}
