import type { Clock } from '../../firmware-protocol/clock.js';
import type { DeviceStateName } from '../../firmware-protocol/device-status.js';
import type { openPort } from '../connect.js';
import {
  type BoardView,
  type HubEvent,
  type KeptNote,
  type LinkCounters,
  NOTES_KEPT,
  type Note,
} from './api.js';
import { BoardLine } from './board-line.js';
import { BoardRecording } from './board-recording.js';
import { BoardWatch } from './board-watch.js';
import { type LeaseListener, LeaseQueue } from './lease.js';
import { Refusal } from './refusal.js';
import { type RoundTrip, RoundTrips } from './round-trips.js';
import { RunWatch } from './run-watch.js';
import { SessionStop } from './session-stop.js';

/** Least time between two events with the view of a board, ms. */
const CHANGES_MS = 100;
/** Least time between two events with the counters of a link, ms. */
const LINK_MS = 1000;

/** Options and listeners of a board of a hub. */
export interface HubBoardOptions {
  readonly clock: Clock;
  readonly silenceMs: number;
  /** The directory of the recordings. */
  readonly directory: string;
  readonly openPort?: typeof openPort | undefined;
  readonly isWatched: () => boolean;
  /** Called with each event about this board. */
  readonly tell: (event: HubEvent) => void;
  /** Called with each command that was answered, and the lease that it came under. */
  readonly answered: (trip: RoundTrip, lease: string | undefined) => void;
}

type Incident = Extract<HubEvent, { readonly type: 'incident' }>['what'];

/** One shared board: its line, its lease, and its view for observers. */
export class HubBoard {
  readonly name: string;
  readonly uri: string;
  readonly line: BoardLine;
  readonly leases: LeaseQueue;
  readonly recording: BoardRecording;
  readonly #watch: BoardWatch;
  readonly #runs: RunWatch;
  readonly #stop: SessionStop;
  readonly #clock: Clock;
  readonly #tell: (event: HubEvent) => void;
  readonly #notes: KeptNote[] = [];
  #health: BoardView['health'] = 'opening';
  #problem: string | null = null;
  #leaseCount = 0;
  #lastOwner: string | undefined;
  #toldState: BoardView['state'] | undefined;
  #isChangeDue = false;
  #toldMs = Number.NEGATIVE_INFINITY;
  #isLinkDue = false;

  constructor(name: string, uri: string, options: HubBoardOptions) {
    const { clock, silenceMs, openPort, tell, answered, directory, isWatched } = options;
    this.name = name;
    this.uri = uri;
    this.#clock = clock;
    this.#tell = tell;
    this.recording = new BoardRecording(name, directory, () => this.#changed());
    const trips = new RoundTrips(
      () => clock.nowMs(),
      (trip) => answered(trip, this.leases.holder?.id),
    );
    this.#watch = new BoardWatch({
      message: (message) => {
        trips.take(message);
        this.#stop.note(message);
        this.#runs.take(message);
        this.#noteState();
      },
    });
    this.#runs = new RunWatch({
      clock,
      board: name,
      owner: () => this.leases.holder?.owner ?? 'server',
      identity: () => this.#watch.board,
      isWatched,
      tell: (event) => {
        tell(event);
        if (event.type === 'runBegan' || event.type === 'runEnded') this.#changed();
      },
    });
    const leaseListener: LeaseListener = {
      changed: () => this.#changed(),
      told: (what, owner, text) => {
        if (what === 'leaseTaken') {
          this.#leaseCount++;
          this.#lastOwner = owner;
        }
        this.#incident(what, owner, text);
      },
    };
    this.line = new BoardLine(
      uri,
      { health: (health, problem) => this.#setHealth(health, problem) },
      {
        clock,
        tap: (port) => this.recording.tap(this.#watch.tap(port)),
        ...(openPort && { openPort }),
      },
    );
    this.#stop = new SessionStop(
      {
        inject: (frame) => this.line.inject(frame),
        acknowledgedByHost: () => this.#watch.acknowledgedByHost,
      },
      clock,
    );
    this.leases = new LeaseQueue(() => this.line.makeSafe(), leaseListener, { clock, silenceMs });
  }

  /** The view of the board: data that change seldom. */
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
      run: this.#runs.view,
      recording: this.recording.view,
    };
  }

  /** Counters of the link since the start of the server. */
  get counters(): LinkCounters {
    return { ...this.#watch.counters, leases: this.#leaseCount };
  }

  /** The newest notes of hosts, NOTES_KEPT at most. */
  get notes(): readonly KeptNote[] {
    return this.#notes;
  }

  /** Throws a `Refusal` while the board is not reached. */
  checkUsable(): void {
    if (this.#health === 'lost') throw this.#notReached(this.#problem ?? 'It does not answer.');
  }

  #notReached(problem: string): Refusal {
    return new Refusal(
      503,
      'NO_ANSWER',
      `The board ${this.name} is not reached: ${problem}`,
      'The server looks for it. Check its power and cable, and try again.',
      1,
    );
  }

  /**
   * Stops the board and returns its state. It does not matter who has the board. A client keeps its session
   * and learns that its run was stopped. If its session does not answer, the client loses the board. Throws a
   * `Refusal` for a board that is not reached. With `isTold` observers are told who stopped it.
   */
  async stop(owner: string, isTold = true): Promise<DeviceStateName> {
    this.#checkReached();
    const { holder } = this.leases;
    if (isTold)
      this.#incident('stopped', owner, `${owner} stops the board${holder ? ` of ${holder.owner}` : ''}.`);
    if (holder === undefined || !(await this.#stop.stop())) await this.leases.vacate('stopped');
    this.#checkReached();
    const { state } = this.#watch;
    if (state === undefined) throw this.#notReached('Its state is not known.');
    return state;
  }

  /** Throws a `Refusal` while no byte can reach the board, because it is lost or its port was never open. */
  #checkReached(): void {
    this.checkUsable();
    if (!this.line.isOpen) throw this.#notReached('Its port is not open.');
  }

  /**
   * The owner who may send notes: the one who has the board, or had it last. The last notes of a training
   * come after it gave the board back.
   */
  get notedOwner(): string | undefined {
    return this.#lastOwner;
  }

  /** Keeps the notes of a host about its training, and sends them to observers. */
  takeNotes(owner: string, notes: readonly Note[]): void {
    for (const note of notes) {
      const kept: KeptNote = { ...note, timeMs: Date.now(), owner };
      this.#notes.push(kept);
      if (this.#notes.length > NOTES_KEPT) this.#notes.shift();
      this.#tell({ type: 'note', timeMs: kept.timeMs, board: this.name, note: kept });
    }
  }

  /** Switches the recording. Errors: BAD_FILE. */
  async record(on: boolean, owner: string): Promise<void> {
    const wasOn = this.recording.view.on;
    if (on) await this.recording.begin(this.uri);
    else await this.recording.end();
    if (wasOn !== on)
      this.#incident(
        on ? 'recordingBegan' : 'recordingEnded',
        owner,
        `${owner} ${on ? 'begins' : 'ends'} a recording.`,
      );
  }

  /** Ends the lease and leaves the board safe. */
  async close(): Promise<void> {
    this.leases.close();
    await this.line.close();
    await this.recording.end();
  }

  #setHealth(health: 'good' | 'fault' | 'lost', problem: string | undefined): void {
    if (health === 'lost') {
      if (this.#health !== 'lost') this.#incident('boardLost', null, `${this.name} is lost: ${problem}`);
      this.#runs.lose();
      this.leases.end('boardLost');
    } else if (this.#health === 'lost') this.#incident('boardFound', null, `${this.name} is there again.`);
    const isFirst = this.#health === 'opening';
    this.#health = health;
    this.#problem = problem ?? null;
    if (isFirst) this.leases.begin();
    this.#changed();
  }

  #noteState(): void {
    this.#linkSoon();
    if (this.#watch.state === this.#toldState) return;
    this.#toldState = this.#watch.state;
    this.#changed();
  }

  /** Sends the view, at once or when CHANGES_MS have passed since it was sent last. */
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

  /** Sends the counters of the link when LINK_MS have passed. */
  #linkSoon(): void {
    if (this.#isLinkDue) return;
    this.#isLinkDue = true;
    this.#clock.schedule(LINK_MS, () => {
      this.#isLinkDue = false;
      this.#tell({ type: 'link', timeMs: Date.now(), board: this.name, counters: this.counters });
    });
  }

  #incident(what: Incident, owner: string | null, text: string): void {
    this.#tell({ type: 'incident', timeMs: Date.now(), board: this.name, what, owner, text });
  }
}
