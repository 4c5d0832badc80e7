/** Where a process spent its time: a room of ours, a package, or the runtime. */
export interface ProfileShare {
  readonly where: string;
  /** 0 to 1, of all samples. */
  readonly share: number;
}

/** | self % | self time | total % | total time | function | location | */
const hotLine = /^\|[^|]*\| ([\d.]+)(ms|s|µs) \|[^|]*\|[^|]*\| `(.*)` \| `([^`]*)` \|$/;
const msPer = { s: 1_000, ms: 1, µs: 0.001 } as const;

/**
 * The time of the functions themselves in a profile that Bun wrote with `--cpu-prof-md`, summed up by place, the largest
 * first. Our own files count for their folder below `src/`.
 * @throws Error when there is no such table in it
 */
export function sharesOfProfile(markdown: string): ProfileShare[] {
  const table = markdown.split('## Hot Functions')[1]?.split('\n## ')[0] ?? '';
  const times = new Map<string, number>();
  let total = 0;
  for (const line of table.split('\n')) {
    const [, time, unit, name = '', location = ''] = hotLine.exec(line) ?? [];
    if (time === undefined) continue;
    const ms = Number(time) * msPer[unit as keyof typeof msPer];
    const where = placeOf(name, location);
    times.set(where, (times.get(where) ?? 0) + ms);
    total += ms;
  }
  if (total === 0) throw new Error('the profile has no table of hot functions: has its form changed?');
  return [...times]
    .map(([where, ms]) => ({ where, share: ms / total }))
    .toSorted((a, b) => b.share - a.share);
}

function placeOf(name: string, location: string): string {
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(location)?.[1];
  if (dependency !== undefined) return dependency;
  const room = /\/src\/([^/:]+)\//.exec(location)?.[1];
  if (room !== undefined) return `src/${room}`;
  return location === '[native code]' ? `runtime’s ${name}` : 'runtime';
}
