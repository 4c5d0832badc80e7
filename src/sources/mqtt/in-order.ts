/** A place in the line, taken when something began. */
export interface Place {
  finish: (() => void) | undefined;
}

/** Finishes in the order in which it began what is ready in any other. */
export class InOrder {
  readonly #line: Place[] = [];

  begin(): Place {
    const place: Place = { finish: undefined };
    this.#line.push(place);
    return place;
  }

  /** `finish` is called once everything that began earlier has finished. */
  ready(place: Place, finish: () => void): void {
    place.finish = finish;
    for (let first = this.#line[0]; first?.finish !== undefined; first = this.#line[0]) {
      this.#line.shift();
      first.finish();
    }
  }
}
