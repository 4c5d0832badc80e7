export type RouteField =
  | 'name'
  | 'topic_filter'
  | 'condition'
  | 'fires_on'
  | 'destination'
  | 'rate_per_second'
  | 'burst'
  | 'secrets';

/** A route that cannot be made: names the field, and where in it the trouble is. */
export class RouteFault extends Error {
  override readonly name = 'RouteFault';
  readonly field: RouteField;
  /** Characters into the field, from 0; undefined where it is about the whole. */
  readonly position: number | undefined;

  constructor(field: RouteField, message: string, position?: number) {
    super(position === undefined ? message : `${message} (at character ${position + 1})`);
    this.field = field;
    this.position = position;
  }
}
