import { availableParallelism, loadavg } from 'node:os';
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { ThermolinkError } from '../errors.js';
import type { Farm } from './farm.js';
import { BUCKETS, SIGN_OF_LIFE_MS } from './farm-names.js';
import { type AnnouncedBoard, packBoard } from './messages.js';

/** Time limit of a renewal. After it the next renewal is sent, with the same content. */
const RENEWAL_MS = 60_000;

/**
 * The right to offer a board in a farm. It is an entry under the key of the board, and this entry also
 * announces the board. Only its maker renews the entry, and the server forgets an entry that is not renewed.
 * If the entry turns out to be another worker's, `lost` is aborted.
 */
export class BoardLease {
  /** Aborted with BUSY when another worker offers the board. */
  readonly lost: AbortSignal;
  readonly #lost = new AbortController();
  readonly #farm: Farm;
  readonly #key: string;
  readonly #timer: NodeJS.Timeout;
  #facts: AnnouncedBoard;
  #revision: number;
  /** The renewals under way; undefined while there are none. */
  #going: Promise<void> | undefined;
  /** Whether the announcement is to be renewed after the renewal under way. */
  #isDue = false;

  private constructor(farm: Farm, key: string, facts: AnnouncedBoard, revision: number) {
    this.#farm = farm;
    this.#key = key;
    this.#facts = facts;
    this.#revision = revision;
    this.lost = this.#lost.signal;
    this.#timer = setInterval(() => this.#renewSoon(), SIGN_OF_LIFE_MS);
    this.#timer.unref();
  }

  /** Takes the lease. Errors: BUSY while another worker offers the board; those of `Farm.ask`. */
  static async take(
    farm: Farm,
    key: string,
    facts: AnnouncedBoard,
    signal: AbortSignal,
  ): Promise<BoardLease> {
    const revision = await create(farm, key, facts, signal);
    if (revision === undefined) throw takenError(facts);
    return new BoardLease(farm, key, facts, revision);
  }

  /** The announcement of the board. */
  get facts(): AnnouncedBoard {
    return this.#facts;
  }

  /** Announces changes at once. Never throws, because the next renewal has the same content. */
  announce(changes: Partial<Pick<AnnouncedBoard, 'state' | 'job' | 'jobsDone'>>): void {
    this.#facts = { ...this.#facts, ...changes };
    this.#renewSoon();
  }

  /**
   * Removes the announcement, within `SIGN_OF_LIFE_MS`. Never throws. The server forgets an entry that could
   * not be removed.
   */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    if (this.lost.aborted) return;
    // This comes first, because it ends a renewal that waits for the server.
    this.#lost.abort(new ThermolinkError('ABORTED', 'The board is no longer offered.'));
    const deadline = new Promise((resolve) => setTimeout(resolve, SIGN_OF_LIFE_MS).unref());
    await Promise.race([this.#remove().catch(() => undefined), deadline]);
  }

  async #remove(): Promise<void> {
    // A renewal that was sent already yields the revision to remove.
    await this.#going;
    await this.#farm.boards.delete(this.#key, { previousSeq: this.#revision });
  }

  /**
   * Only one renewal runs at a time, because each needs the revision of the previous one. At most one more is
   * due.
   */
  #renewSoon(): void {
    this.#isDue = true;
    this.#going ??= this.#renewWhileDue();
  }

  async #renewWhileDue(): Promise<void> {
    while (this.#isDue && !this.lost.aborted) {
      this.#isDue = false;
      try {
        await this.#renew();
      } catch (error) {
        const facts = { board: this.#facts.uri, error: String(error) };
        if (!this.lost.aborted) this.#farm.log.warn(facts, 'a board was not announced');
      }
    }
    this.#going = undefined;
  }

  async #renew(): Promise<void> {
    const { lost } = this;
    const patience = { signal: lost, outageMs: RENEWAL_MS };
    this.#facts = { ...this.#facts, load: loadOfHost() };
    const renewed = await this.#farm.ask(
      () => orConflict(this.#farm.boards.update(this.#key, packBoard(this.#facts), this.#revision)),
      patience,
    );
    // After an outage the server may have forgotten the entry; then it is made anew. An update whose answer
    // was lost looks like the entry of another worker, so the entry is read.
    const revision =
      renewed ?? (await create(this.#farm, this.#key, this.#facts, lost)) ?? (await this.#ownRevision());
    if (revision === undefined) this.#lost.abort(takenError(this.#facts));
    else this.#revision = revision;
  }

  /** The revision of the entry if this worker wrote it. */
  async #ownRevision(): Promise<number | undefined> {
    const entry = await this.#farm.ask(() => this.#farm.boards.get(this.#key), {
      ...{ signal: this.lost, outageMs: RENEWAL_MS },
    });
    const isOwn = entry?.operation === 'PUT' && entry.string().includes(JSON.stringify(this.#facts.worker));
    return isOwn ? entry.revision : undefined;
  }
}

async function create(
  farm: Farm,
  key: string,
  facts: AnnouncedBoard,
  signal: AbortSignal,
): Promise<number | undefined> {
  const outageMs = BUCKETS.boards.ageMs;
  return farm.ask(() => orConflict(farm.boards.create(key, packBoard(facts))), { signal, outageMs });
}

/** The revision; undefined if the key has another revision than expected. */
export async function orConflict<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    const isConflict =
      error instanceof JetStreamApiError &&
      error.apiError().err_code === JetStreamApiCodes.StreamWrongLastSequence;
    if (isConflict) return undefined;
    throw error;
  }
}

function takenError({ uri }: AnnouncedBoard): ThermolinkError {
  return new ThermolinkError('BUSY', `Another worker offers the board ${uri} already.`, {
    retryable: true,
    hint: `Stop that worker; if it was killed, its offer is forgotten after ${BUCKETS.boards.ageMs / 1000} s.`,
    data: { device: uri },
  });
}

/** Load of the machine over the last minute, divided by the number of processors. */
export function loadOfHost(): number {
  return Math.round((100 * loadavg()[0]) / availableParallelism()) / 100;
}
