import { randomBytes } from 'node:crypto';
import type { Clock } from '../../firmware-protocol/clock.js';
import { Refusal } from './refusal.js';
import { allows, type Identity } from './tokens.js';

/** Largest number of clients that wait for one board. */
export const QUEUE_MAX = 16;
/** Largest number of clients of one owner among them, so that one owner alone cannot keep others out. */
export const QUEUE_PER_OWNER_MAX = 12;
/**
 * Even a client that does not want to wait gets this time. Otherwise a program that connects again right
 * after closing its connection would be refused because of its own earlier connection (protocol.md, "Over
 * TCP").
 */
const BUSY_GRACE_MS = 100;
/**
 * While a board is being made safe after its last client, every client waits at least this long before it is
 * refused.
 */
const VACATING_MS_MAX = 10_000;

/** Why a lease ended. */
export type LeaseEnd = 'stopped' | 'left' | 'takenOver' | 'silentHolder' | 'boardLost' | 'slow' | 'closed';

/** A client that asks for a board. */
export interface LeaseRequest extends Identity {
  /** The address of the client, for people. */
  readonly client: string;
  readonly waitMs: number;
  /** Whether the client wants to take over from the present holder. */
  readonly takeOver: boolean;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

/** Events of leases, for people. */
export interface LeaseListener {
  changed(): void;
  told(
    what: 'queued' | 'waitedTooLong' | 'leaseTaken' | 'leaseEnded' | 'takenOver' | 'silentHolder',
    owner: string,
    text: string,
  ): void;
}

/** The right to drive a board. One client has it at a time. */
export class Lease {
  /** Names it in the logs of server and client. It is not a secret and gives no right. */
  readonly id = randomBytes(4).toString('hex');
  readonly owner: string;
  readonly client: string;
  readonly sinceMs: number;
  /** Time of the last bytes from the holder. */
  heardMs: number;
  /** Aborted when the lease is over; the reason is a `LeaseEnd`. The holder then calls `release`. */
  readonly over: AbortSignal;
  readonly #over = new AbortController();
  readonly #release: (lease: Lease, end: LeaseEnd) => Promise<void>;
  #released: Promise<void> | undefined;

  constructor(
    { owner, client }: LeaseRequest,
    nowMs: number,
    release: (lease: Lease, end: LeaseEnd) => Promise<void>,
  ) {
    this.owner = owner;
    this.client = client;
    this.sinceMs = nowMs;
    this.heardMs = nowMs;
    this.over = this.#over.signal;
    this.#release = release;
  }

  /** Ends the lease and tells the holder. */
  end(reason: LeaseEnd): void {
    this.#over.abort(reason);
  }

  /** Why the lease ended. */
  get reason(): LeaseEnd | undefined {
    return this.over.aborted ? (this.over.reason as LeaseEnd) : undefined;
  }

  /** Gives the board back. It resolves when the board is safe. The first call counts. */
  release(): Promise<void> {
    this.end('left');
    this.#released ??= this.#release(this, this.reason!);
    return this.#released;
  }
}

/** A client in the queue. */
interface Waiting extends LeaseRequest {
  readonly sinceMs: number;
  readonly untilMs: number;
  /**
   * Whether the client wants to wait for the holder. Other clients are in the queue only for a moment and are
   * not reported.
   */
  readonly isQueued: boolean;
  readonly grant: (lease: Lease) => void;
  readonly refuse: (refusal: Refusal) => void;
}

/**
 * Gives a board to one client at a time. The others wait in the order in which they came. When the holder
 * goes, the board is made safe before the next one gets it.
 */
export class LeaseQueue {
  readonly #clock: Clock;
  readonly #makeSafe: () => Promise<void>;
  readonly #listener: LeaseListener;
  /** A holder that is silent for this time loses the board if somebody waits for it. */
  readonly #silenceMs: number;
  readonly #waiting: Waiting[] = [];
  #holder: Lease | undefined;
  /**
   * Number of calls that make the board safe now. At the start it is one, until `begin`. No client gets the
   * board meanwhile.
   */
  #vacating = 1;
  #cancelSilence: () => void = () => undefined;
  #closed = false;

  constructor(
    makeSafe: () => Promise<void>,
    listener: LeaseListener,
    { clock, silenceMs }: { readonly clock: Clock; readonly silenceMs: number },
  ) {
    this.#makeSafe = makeSafe;
    this.#listener = listener;
    this.#clock = clock;
    this.#silenceMs = silenceMs;
  }

  get holder(): Lease | undefined {
    return this.#holder;
  }

  /** The clients that wait for the holder, the next one first. */
  get queue(): readonly {
    readonly owner: string;
    readonly client: string;
    readonly sinceMs: number;
    readonly untilMs: number;
  }[] {
    return this.#waiting
      .filter(({ isQueued }) => isQueued)
      .map(({ owner, client, sinceMs, untilMs }) => ({ owner, client, sinceMs, untilMs }));
  }

  /**
   * Resolves with the lease when it is this client's turn. Throws a `Refusal` when the board stays with
   * another client for longer than this one waits, when too many wait, and when it may not take over.
   */
  acquire(request: LeaseRequest): Promise<Lease> {
    if (this.#closed) throw closedRefusal();
    const mayTakeOver = request.takeOver && this.#checkTakeOver(request);
    if (this.#holder === undefined && this.#vacating === 0 && this.#waiting.length === 0)
      return Promise.resolve(this.#give(request));
    if (this.#waiting.length >= QUEUE_MAX)
      throw new Refusal(
        429,
        'BUSY',
        `${QUEUE_MAX} clients wait for this board already.`,
        'Try again later.',
        5,
      );
    const own = this.#waiting.filter(({ owner }) => owner === request.owner).length;
    if (own >= QUEUE_PER_OWNER_MAX)
      throw new Refusal(
        429,
        'BUSY',
        `${own} clients of ${request.owner} wait for this board already.`,
        'Try again later.',
        5,
      );
    return new Promise((resolve, reject) => {
      const nowMs = this.#clock.nowMs();
      const ms = Math.max(
        request.waitMs,
        mayTakeOver || this.#vacating > 0 ? VACATING_MS_MAX : BUSY_GRACE_MS,
      );
      const leave = (): void => {
        cancel();
        request.signal.removeEventListener('abort', onGone);
        const at = this.#waiting.indexOf(waiting);
        if (at >= 0) this.#waiting.splice(at, 1);
        this.#watchSilence();
        if (waiting.isQueued) this.#listener.changed();
      };
      const refuse = (refusal: Refusal): void => {
        leave();
        reject(refusal);
      };
      const onGone = (): void => {
        refuse(new Refusal(499, 'ABORTED', 'The client has gone.', 'Nobody reads this.'));
      };
      const cancel = this.#clock.schedule(ms, () => {
        if (waiting.isQueued)
          this.#listener.told(
            'waitedTooLong',
            request.owner,
            `${request.owner} waited too long for the board.`,
          );
        refuse(this.#busy());
      });
      const waiting: Waiting = {
        ...request,
        sinceMs: nowMs,
        untilMs: nowMs + ms,
        isQueued: request.waitMs > 0,
        grant: (lease) => {
          leave();
          resolve(lease);
        },
        refuse,
      };
      request.signal.addEventListener('abort', onGone, { once: true });
      // A client that takes over comes before the waiting clients.
      if (mayTakeOver) this.#waiting.unshift(waiting);
      else this.#waiting.push(waiting);
      if (waiting.isQueued) {
        this.#listener.told('queued', request.owner, `${request.owner} waits for the board.`);
        this.#listener.changed();
      }
      if (request.signal.aborted) onGone();
      else if (mayTakeOver) this.#takeOver(request.owner);
      this.#watchSilence();
    });
  }

  /** Ends the lease. Waiting clients stay in the queue. */
  end(reason: LeaseEnd): void {
    this.#holder?.end(reason);
  }

  /**
   * Ends the lease, if there is one, and makes the board safe. A client that comes meanwhile gets the board
   * after that.
   */
  async vacate(reason: LeaseEnd): Promise<void> {
    const holder = this.#holder;
    if (holder === undefined) return this.#makeVacant();
    holder.end(reason);
    await holder.release();
  }

  /** Ends the lease and refuses all waiting clients. No client gets the board any more. */
  close(): void {
    this.#closed = true;
    for (const { refuse } of [...this.#waiting]) refuse(closedRefusal());
    this.end('closed');
  }

  #checkTakeOver(request: LeaseRequest): boolean {
    const holder = this.#holder;
    if (holder === undefined) return false;
    if (holder.owner === request.owner || allows(request, 'admin')) return true;
    throw new Refusal(
      403,
      'NOT_ALLOWED',
      `${holder.owner} has the board; ${request.owner} may not take it over.`,
      `Wait for it (wait_s), or ask ${holder.owner}. The right \`admin\` takes over from others.`,
    );
  }

  #takeOver(owner: string): void {
    const holder = this.#holder;
    if (holder === undefined) return;
    this.#listener.told('takenOver', owner, `${owner} takes the board over from ${holder.owner}.`);
    holder.end('takenOver');
  }

  #give(request: LeaseRequest): Lease {
    const lease = new Lease(request, this.#clock.nowMs(), (ended, end) => this.#release(ended, end));
    this.#holder = lease;
    this.#listener.told('leaseTaken', lease.owner, `${lease.owner} has the board.`);
    this.#listener.changed();
    this.#watchSilence();
    return lease;
  }

  async #release(lease: Lease, end: LeaseEnd): Promise<void> {
    this.#holder = undefined;
    this.#cancelSilence();
    this.#listener.told('leaseEnded', lease.owner, `${lease.owner} ${ENDS[end]}.`);
    this.#listener.changed();
    await this.#makeVacant();
  }

  async #makeVacant(): Promise<void> {
    this.#vacating++;
    try {
      await this.#makeSafe();
    } finally {
      this.begin();
    }
  }

  /**
   * Records that the board is safe, and gives it to the first client of the queue. That is a client that
   * takes over, or else the client that has waited longest.
   */
  begin(): void {
    this.#vacating--;
    if (this.#vacating > 0) return;
    const next = this.#waiting[0];
    if (this.#holder === undefined && next !== undefined) next.grant(this.#give(next));
  }

  #busy(): Refusal {
    const holder = this.#holder;
    return new Refusal(
      409,
      'BUSY',
      holder === undefined ? 'The board is being made safe.' : `${holder.owner} has the board.`,
      'Wait for it: wait_s=SECONDS in the URI. The same owner takes it over by takeover=1.',
      1,
    );
  }

  /** Takes the board from a holder that is silent while another client waits. */
  #watchSilence(): void {
    this.#cancelSilence();
    this.#cancelSilence = () => undefined;
    const holder = this.#holder;
    if (holder === undefined || !this.#waiting.some(({ isQueued }) => isQueued)) return;
    const dueMs = holder.heardMs + this.#silenceMs;
    this.#cancelSilence = this.#clock.schedule(Math.max(0, dueMs - this.#clock.nowMs()), () => {
      if (holder.heardMs + this.#silenceMs > this.#clock.nowMs()) {
        this.#watchSilence();
        return;
      }
      this.#listener.told('silentHolder', holder.owner, `${holder.owner} was silent and loses the board.`);
      holder.end('silentHolder');
    });
  }
}

function closedRefusal(): Refusal {
  return new Refusal(503, 'NO_ANSWER', 'The server ends.', 'Connect again when it has started anew.', 5);
}

const ENDS: Readonly<Record<LeaseEnd, string>> = {
  stopped: 'lost the board: it was stopped and did not answer',
  left: 'left the board',
  takenOver: 'had to give the board away',
  silentHolder: 'was silent while another one waited',
  boardLost: 'lost the board: it does not answer',
  slow: 'did not read the bytes of the board',
  closed: 'lost the board: the server ends',
};
