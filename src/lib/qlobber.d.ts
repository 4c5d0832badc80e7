/** The part of qlobber that is used; the package brings no types. */
declare module 'qlobber' {
  export interface QlobberOptions {
    readonly separator: string;
    readonly wildcard_one: string;
    readonly wildcard_some: string;
    readonly cache_adds?: boolean;
  }

  export class Qlobber<T> {
    constructor(options: QlobberOptions);
    add(topic: string, value: T): this;
    /** What was added under each filter that matches; a value twice where two of its filters do. */
    match(topic: string): T[];
  }
}
