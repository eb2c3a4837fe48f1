import { parseDeviceUri } from '../../../connect.js';
import { NOTE_VALUES_MAX, NOTES_MAX, type Note } from '../../../hub/api.js';
import type { StepFacts } from '../../../learning/record.js';
import { type HubAddress, hubRequest, refusalOf } from '../../../transport/hub-port.js';

/** Most notes that wait. The oldest ones are left out. */
const WAITING_MAX = 1024;
/** A request that the server does not answer within this time has failed. */
const ANSWER_MS = 5000;
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
  readonly #address: HubAddress;
  readonly #training: string;
  readonly #warn: (sentence: string) => void;
  #waiting: Note[] = [];
  #sending: Promise<void> | undefined;
  #hasFailed = false;
  #isEnding = false;
  #hurry: () => void = () => undefined;

  private constructor(address: HubAddress, training: string, warn: (sentence: string) => void) {
    this.#address = address;
    this.#training = training;
    this.#warn = warn;
  }

  /** Undefined for a board that no server shares. `warn` gets one sentence at most. */
  static of(uri: string, training: string, warn: (sentence: string) => void): HubNotes | undefined {
    const address = parseDeviceUri(uri);
    return address.kind === 'hub' || address.kind === 'hubs'
      ? new HubNotes(address, training, warn)
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
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_MS);
    });
    await Promise.race([this.#sending, late]);
    clearTimeout(timer);
  }

  async #sendAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const notes = this.#waiting.splice(0, NOTES_MAX);
        const isTaken = await this.#send(notes);
        if (!isTaken) this.#waiting = [...notes, ...this.#waiting].slice(-WAITING_MAX);
        await this.#pause(isTaken ? PACE_MS : LATER_MS);
      }
    } catch (error) {
      this.#hasFailed = true;
      this.#waiting = [];
      this.#warn(
        `The server is not told the curves: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    this.#sending = undefined;
  }

  /** A training that ends is waited for, so it does not pause. */
  #pause(ms: number): Promise<void> {
    if (this.#isEnding) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Returns whether the server took them; false when it asks for fewer. Throws for every other refusal. */
  async #send(notes: readonly Note[]): Promise<boolean> {
    const body = JSON.stringify({ notes });
    const { board, host } = this.#address;
    const request = await hubRequest(this.#address, `/api/boards/${board}/notes`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) },
      timeout: ANSWER_MS,
    });
    return new Promise((resolve, reject) => {
      request.on('timeout', () => request.destroy(new Error('it does not answer')));
      request.on('error', reject);
      request.on('response', (response) => {
        const { statusCode } = response;
        const isRead = statusCode === 200 || statusCode === TOO_MANY;
        if (isRead)
          response
            .resume()
            .on('end', () => resolve(statusCode === 200))
            .on('error', reject);
        else void refusalOf(host, response).then(reject, reject);
      });
      request.end(body);
    });
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
