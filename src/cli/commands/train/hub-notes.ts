import { parseDeviceUri } from '../../../connect.js';
import { ThermolinkError } from '../../../errors.js';
import { NOTE_VALUES_MAX, NOTES_MAX, type Note } from '../../../hub/api.js';
import { type HubClient, openHub } from '../../../hub/client/index.js';
import type { StepFacts } from '../../../learning/record.js';

/** Largest number of notes that wait to be sent. If more wait, the oldest ones are dropped. */
const WAITING_MAX = 1024;
/** Time between two requests. The notes of this time are sent together, because a server limits requests. */
const PACE_MS = 100;
/** The next request follows after this time if the server asks for fewer requests. */
const LATER_MS = 1000;
const TOO_MANY = 429;
/** Time that an ending training waits until its last notes are sent. */
const LAST_MS = 1000;

/**
 * Sends the curves of a training to the server of a shared board, for those who watch. No step waits for it,
 * and only one request is on its way at a time. After the first failure it sends nothing more; the training
 * goes on.
 */
export class HubNotes {
  readonly #client: HubClient;
  readonly #board: string;
  readonly #late = new AbortController();
  readonly #training: string;
  readonly #warn: (sentence: string) => void;
  #waiting: Note[] = [];
  #sending: Promise<void> | undefined;
  #hasFailed = false;
  #isEnding = false;
  #hurry: () => void = () => undefined;

  private constructor(client: HubClient, board: string, training: string, warn: (sentence: string) => void) {
    this.#client = client;
    this.#board = board;
    this.#training = training;
    this.#warn = warn;
  }

  /**
   * Makes the notes for the server that shares the board `uri`; undefined for a board that no server shares.
   * `warn` gets one sentence at most.
   */
  static of(uri: string, training: string, warn: (sentence: string) => void): HubNotes | undefined {
    const address = parseDeviceUri(uri);
    return address.kind === 'hub' || address.kind === 'hubs'
      ? new HubNotes(openHub(uri), address.board, training, warn)
      : undefined;
  }

  /** Takes a step. */
  add(record: StepFacts): void {
    if (this.#hasFailed) return;
    this.#waiting.push({ training: this.#training, step: record.step, values: valuesOf(record) });
    if (this.#waiting.length > WAITING_MAX) this.#waiting.shift();
    this.#sending ??= this.#sendAll();
  }

  /** Waits a moment for the notes that are not sent yet. Errors: none. */
  async end(): Promise<void> {
    this.#isEnding = true;
    this.#hurry();
    if (this.#sending === undefined) return;
    const timer = setTimeout(() => this.#late.abort(), LAST_MS);
    await this.#sending;
    clearTimeout(timer);
  }

  async #sendAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const notes = this.#waiting.splice(0, NOTES_MAX);
        const isTaken = await this.#send(notes);
        if (!isTaken) this.#waiting = [...notes, ...this.#waiting].slice(-WAITING_MAX);
        if (!this.#isEnding) await this.#pause(isTaken ? PACE_MS : LATER_MS);
        else if (!isTaken) await this.#pause(PACE_MS);
      }
    } catch (error) {
      this.#hasFailed = true;
      this.#waiting = [];
      if (this.#late.signal.aborted) return;
      this.#warn(
        `The server is not told the curves: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    this.#sending = undefined;
  }

  /** Waits `ms`. The end of the training ends the wait, because the training waits for its last notes. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /**
   * Returns whether the server took the notes; false if it asks for fewer. Throws for every other refusal.
   */
  async #send(notes: readonly Note[]): Promise<boolean> {
    try {
      await this.#client.tell(this.#board, notes, { signal: this.#late.signal });
      return true;
    } catch (error) {
      if (error instanceof ThermolinkError && error.data['statusCode'] === TOO_MANY) return false;
      throw error;
    }
  }
}

/** The figures of a step by name: `loss`, and the further figures of the problem. */
function valuesOf({ test, ...facts }: StepFacts & { readonly test?: object }) {
  const tested = Object.entries(test ?? {}).map(([name, value]) => [`test${capital(name)}`, value] as const);
  const numbers = [...Object.entries(facts), ...tested].filter(
    ([name, value]) => name !== 'step' && Number.isFinite(value) && /^[a-zA-Z][a-zA-Z0-9]{0,31}$/.test(name),
  );
  return Object.fromEntries(numbers.slice(0, NOTE_VALUES_MAX)) as Record<string, number>;
}

function capital(name: string): string {
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}
