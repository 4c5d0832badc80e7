/** The tenant whose page this is; undefined on the pages of the whole installation. */
export function tenantOf(path: string): string | undefined {
  const found = /^\/t\/([^/]+)/.exec(path)?.[1];
  if (found === undefined) return undefined;
  try {
    return decodeURIComponent(found);
  } catch {
    return undefined;
  }
}
