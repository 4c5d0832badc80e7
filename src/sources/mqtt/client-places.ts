import type { PublishWindow } from './publish-window.ts';

export interface ClientPlacesOptions {
  readonly window: PublishWindow;
  /** Publishes of this client under way at most. */
  readonly maxUnacked: number;
  /** Called once a place was taken that `take` had to wait for. */
  readonly onGranted: () => void;
}

/**
 * One client's places in the listener's window. A publish takes its place before its last byte passes to the
 * parser, carries it to the hook (`begun`), and gives it back when it is `settled`.
 */
export class ClientPlaces {
  readonly #options: ClientPlacesOptions;
  /** Of the packet that is being received. */
  #state: 'none' | 'full' | 'waiting' | 'taken' = 'none';
  #unacked = 0;
  /** Passed to the parser, and not begun by the hook yet. */
  #passedMessages = 0;
  #passedBytes = 0;

  constructor(options: ClientPlacesOptions) {
    this.#options = options;
  }

  /** Whether the packet that is being received waits for others of this client or of all. */
  get isWaiting(): boolean {
    return this.#state === 'waiting' || this.#state === 'full';
  }

  /** Whether the packet that is being received may pass whole. */
  take(bytes: number): boolean {
    if (this.#state !== 'none') return this.#state === 'taken';
    if (this.#unacked >= this.#options.maxUnacked) this.#state = 'full';
    else this.#state = this.#options.window.enter(bytes, this.#granted) ? 'taken' : 'waiting';
    return this.#state === 'taken';
  }

  passed(bytes: number): void {
    this.#state = 'none';
    this.#unacked++;
    this.#passedMessages++;
    this.#passedBytes += bytes;
  }

  begun(bytes: number): void {
    this.#passedMessages--;
    this.#passedBytes -= bytes;
  }

  /** True when that lets the packet that is being received try again. */
  settled(bytes: number): boolean {
    this.#unacked--;
    this.#options.window.leave(bytes);
    if (this.#state !== 'full') return false;
    this.#state = 'none';
    return true;
  }

  /** The connection is gone: gives back every place but those of publishes that have begun. */
  release(currentBytes: number): void {
    const { window } = this.#options;
    if (this.#state === 'waiting') window.cancel(this.#granted);
    if (this.#state === 'taken') window.leave(currentBytes);
    if (this.#passedMessages > 0) window.leave(this.#passedBytes, this.#passedMessages);
    this.#state = 'none';
    this.#passedMessages = 0;
    this.#passedBytes = 0;
  }

  readonly #granted = (): void => {
    this.#state = 'taken';
    this.#options.onGranted();
  };
}
