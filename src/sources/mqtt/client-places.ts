import type { PublishWindow } from './publish-window.ts';

export interface ClientPlacesOptions {
  readonly window: PublishWindow;
  /** Publishes of this client under way at most. */
  readonly maxUnacked: number;
  /** Called once a place was taken that `take` had to wait for. */
  readonly onGranted: () => void;
}

/**
 * One client's places in the listener's window. A publish that has been received takes its place before it is
 * looked at, keeps it when intake has it (`begun`), and gives it back when it is `settled`.
 */
export class ClientPlaces {
  readonly #options: ClientPlacesOptions;
  /** Of the publish that is first in line. */
  #state: 'none' | 'full' | 'waiting' | 'taken' = 'none';
  #bytes = 0;
  #unacked = 0;

  constructor(options: ClientPlacesOptions) {
    this.#options = options;
  }

  /** Whether the first publish in line waits for others of this client or of all. */
  get isWaiting(): boolean {
    return this.#state === 'waiting' || this.#state === 'full';
  }

  /** Whether the first publish in line may begin. */
  take(bytes: number): boolean {
    if (this.#state !== 'none') return this.#state === 'taken';
    this.#bytes = bytes;
    if (this.#unacked >= this.#options.maxUnacked) this.#state = 'full';
    else this.#state = this.#options.window.enter(bytes, this.#granted) ? 'taken' : 'waiting';
    return this.#state === 'taken';
  }

  begun(): void {
    this.#state = 'none';
    this.#unacked++;
  }

  /** True when that lets the first publish in line try again. */
  settled(bytes: number): boolean {
    this.#unacked--;
    this.#options.window.leave(bytes);
    if (this.#state !== 'full') return false;
    this.#state = 'none';
    return true;
  }

  /** The connection is gone: gives back every place but those of publishes that have begun. */
  release(): void {
    const { window } = this.#options;
    if (this.#state === 'waiting') window.cancel(this.#granted);
    if (this.#state === 'taken') window.leave(this.#bytes);
    this.#state = 'none';
  }

  readonly #granted = (): void => {
    this.#state = 'taken';
    this.#options.onGranted();
  };
}
