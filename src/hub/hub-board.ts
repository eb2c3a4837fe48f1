import type { Clock } from '../../firmware-protocol/clock.js';
import type { openPort } from '../connect.js';
import type { BoardView, HubEvent, LinkCounters } from './api.js';
import { BoardLine } from './board-line.js';
import { BoardWatch } from './board-watch.js';
import { type LeaseListener, LeaseQueue } from './lease.js';
import { Refusal } from './refusal.js';

/** A board whose view changes is told at most so often, ms. */
const CHANGES_MS = 100;

/** What a board of a hub is told, and whom it tells. */
export interface HubBoardOptions {
  readonly clock: Clock;
  readonly silenceMs: number;
  readonly openPort?: typeof openPort | undefined;
  /** Called with each event about this board. */
  readonly tell: (event: HubEvent) => void;
}

type Incident = Extract<HubEvent, { readonly type: 'incident' }>['what'];

/** One shared board: its line, who has it, and what is known of it. */
export class HubBoard {
  readonly name: string;
  readonly uri: string;
  readonly line: BoardLine;
  readonly leases: LeaseQueue;
  readonly #watch: BoardWatch;
  readonly #clock: Clock;
  readonly #tell: (event: HubEvent) => void;
  #health: BoardView['health'] = 'opening';
  #problem: string | null = null;
  #leaseCount = 0;
  #toldState: BoardView['state'] | undefined;
  #isChangeDue = false;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(name: string, uri: string, { clock, silenceMs, openPort, tell }: HubBoardOptions) {
    this.name = name;
    this.uri = uri;
    this.#clock = clock;
    this.#tell = tell;
    this.#watch = new BoardWatch({ message: () => this.#noteState() });
    const leaseListener: LeaseListener = {
      changed: () => this.#changed(),
      told: (what, owner, text) => {
        if (what === 'leaseTaken') this.#leaseCount++;
        this.#incident(what, owner, text);
      },
    };
    this.line = new BoardLine(
      uri,
      { health: (health, problem) => this.#setHealth(health, problem) },
      { clock, tap: (port) => this.#watch.tap(port), ...(openPort && { openPort }) },
    );
    this.leases = new LeaseQueue(() => this.line.makeSafe(), leaseListener, { clock, silenceMs });
  }

  /** All that changes seldom. */
  get view(): BoardView {
    const { board, state } = this.#watch;
    const { holder, queue } = this.leases;
    const wallMs = (clockMs: number): number => Date.now() - (this.#clock.nowMs() - clockMs);
    return {
      name: this.name,
      uri: this.uri,
      health: this.#health,
      problem: this.#problem,
      state: state ?? null,
      identity: board
        ? {
            model: board.model,
            serialNumber: board.serialNumber,
            firmwareVersion: board.firmwareVersion,
            bootEpoch: board.bootEpoch,
            cells: board.cells,
            rows: board.rows,
            banks: board.banks,
            tauNs: board.tauNs,
            fullScaleMicrovolts: board.fullScaleMicrovolts,
          }
        : null,
      lease: holder
        ? {
            owner: holder.owner,
            client: holder.client,
            sinceMs: wallMs(holder.sinceMs),
            heardMs: wallMs(holder.heardMs),
          }
        : null,
      queue: queue.map((entry) => ({
        owner: entry.owner,
        client: entry.client,
        sinceMs: wallMs(entry.sinceMs),
        untilMs: wallMs(entry.untilMs),
      })),
      run: null,
      recording: { on: false, sinceMs: null, bytes: 0, hasTrace: false, problem: null },
    };
  }

  get counters(): LinkCounters {
    return { ...this.#watch.counters, leases: this.#leaseCount };
  }

  /** Throws a `Refusal` while the board is not reached. */
  checkUsable(): void {
    if (this.#health === 'lost')
      throw new Refusal(
        503,
        'NO_ANSWER',
        `The board ${this.name} is not reached: ${this.#problem}`,
        'The server looks for it. Check its power and cable, and try again.',
        1,
      );
  }

  /** Ends the lease and leaves the board safe. */
  async close(): Promise<void> {
    this.leases.close();
    await this.line.close();
  }

  #setHealth(health: 'good' | 'fault' | 'lost', problem: string | undefined): void {
    if (health === 'lost') {
      if (this.#health !== 'lost') this.#incident('boardLost', null, `${this.name} is lost: ${problem}`);
      this.leases.end('boardLost');
    } else if (this.#health === 'lost') this.#incident('boardFound', null, `${this.name} is there again.`);
    const isFirst = this.#health === 'opening';
    this.#health = health;
    this.#problem = problem ?? null;
    if (isFirst) this.leases.begin();
    this.#changed();
  }

  #noteState(): void {
    if (this.#watch.state === this.#toldState) return;
    this.#toldState = this.#watch.state;
    this.#changed();
  }

  /** Tells the view, at once or when CHANGES_MS have passed since it was told last. */
  #changed(): void {
    if (this.#isChangeDue) return;
    this.#isChangeDue = true;
    const dueMs = this.#toldMs + CHANGES_MS - this.#clock.nowMs();
    this.#clock.schedule(Math.max(0, dueMs), () => {
      this.#isChangeDue = false;
      this.#toldMs = this.#clock.nowMs();
      this.#tell({ type: 'board', timeMs: Date.now(), board: this.view });
    });
  }

  #incident(what: Incident, owner: string | null, text: string): void {
    this.#tell({ type: 'incident', timeMs: Date.now(), board: this.name, what, owner, text });
  }
}
