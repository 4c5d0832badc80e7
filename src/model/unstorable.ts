/** What PostgreSQL cannot store as sent, and where. */
export interface Unstorable {
  /** Dotted: `metrics.temp`, `tags.0`; empty at the top. Always storable itself: bad keys are shown escaped. */
  readonly path: string;
  readonly why: 'NUL character' | 'lone surrogate';
}

interface Node {
  readonly value: unknown;
  readonly key: string;
  readonly parent: Node | undefined;
}

/**
 * Finds a string or key that PostgreSQL would refuse or replace: NUL characters (22P05, 22021) and lone
 * surrogates (22P02 in jsonb, silently U+FFFD in text). Give the JSON text the value was parsed from where it is
 * at hand: neither can be in there without a `\u` escape, which makes the usual case one search. Iterative.
 */
export function findUnstorable(value: unknown, text?: string): Unstorable | undefined {
  if (text !== undefined && !text.includes('\\u') && text.isWellFormed()) return undefined;
  const open: Node[] = [{ value, key: '', parent: undefined }];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const why = faultOf(node.key) ?? (typeof node.value === 'string' ? faultOf(node.value) : undefined);
    if (why !== undefined) return { path: pathOf(node), why };
    if (typeof node.value !== 'object' || node.value === null) continue;
    for (const [key, child] of Object.entries(node.value)) open.push({ value: child, key, parent: node });
  }
  return undefined;
}

function faultOf(text: string): Unstorable['why'] | undefined {
  if (text.includes('\0')) return 'NUL character';
  return text.isWellFormed() ? undefined : 'lone surrogate';
}

function pathOf(node: Node): string {
  const keys: string[] = [];
  for (let at = node; at.parent !== undefined; at = at.parent) {
    keys.unshift(faultOf(at.key) === undefined ? at.key : printable(at.key));
  }
  return keys.join('.');
}

/** JSON.stringify escapes both NUL and lone surrogates. */
function printable(key: string): string {
  return JSON.stringify(key).slice(1, -1);
}
