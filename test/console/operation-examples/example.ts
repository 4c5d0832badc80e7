import type { KeyName, World } from '../world.ts';

/** One call of an operation that succeeds. */
export interface Example {
  /** Default: tenant_id `own`, device_id `own-1`. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the least that may. */
  readonly key?: KeyName;
  readonly status: number;
}

/**
 * By the operation's id. A function may prepare what it needs first; the examples of all operations run one after another in
 * one world, in the order of the document.
 */
export type Examples = Readonly<Record<string, Example | ((world: World) => Promise<Example>)>>;
