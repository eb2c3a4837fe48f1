import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { LinkCounters } from './api.js';
import type { HubBoard } from './hub-board.js';

/** The names of all metrics of this program begin with this text. */
const PREFIX = 'thermolink_';

/** Bounds of the histogram of round trips, in s: from a board in this process to a slow serial line. */
const ROUND_TRIP_BUCKETS = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5];

/** Names and help texts of the counters of a link. */
const COUNTERS: Readonly<Record<keyof LinkCounters, readonly [name: string, help: string]>> = {
  bytesToBoard: ['link_sent_bytes_total', 'Bytes that went to the board.'],
  bytesToHost: ['link_received_bytes_total', 'Bytes that came from the board.'],
  frames: ['link_frames_total', 'Good frames of both directions.'],
  framesFaulty: ['link_faulty_frames_total', 'Byte sequences between two delimiters that were no frame.'],
  retransmissions: ['link_retransmissions_total', 'Command frames that had passed already.'],
  sampleFramesLost: ['link_lost_sample_frames_total', 'Frames with samples that never came.'],
  samplesLost: ['samples_lost_total', 'Samples that the board has skipped for want of credit.'],
  sessions: ['sessions_total', 'Sessions that were opened.'],
  runs: ['runs_total', 'Runs that were started.'],
  overloads: ['run_overloads_total', 'Runs that ended by an overload.'],
  watchdogTrips: ['run_watchdog_trips_total', 'Runs that ended because the host was silent.'],
  stops: ['stops_total', 'Stops of any client, the server included.'],
  refusals: ['refusals_total', 'Commands that the board refused.'],
  faults: ['faults_total', 'Times that the board has latched a fault.'],
  leases: ['leases_total', 'Leases that were given.'],
};

/** Figures that the server itself gives when they are asked for. */
export interface ServerFigures {
  readonly observers: number;
  readonly connections: number;
}

/**
 * The figures of a hub for Prometheus. The label `board` has only the names that the server was given, so the
 * number of series is bounded. Times are in seconds.
 */
export class HubMetrics {
  readonly #registry = new Registry();
  readonly #roundTrips: Histogram<'board'>;

  constructor(boards: readonly HubBoard[], server: () => ServerFigures) {
    const registers = [this.#registry];
    const labelNames = ['board'] as const;
    collectDefaultMetrics({ register: this.#registry });
    for (const [field, [name, help]] of Object.entries(COUNTERS))
      new Counter({
        ...{ name: `${PREFIX}${name}`, help, labelNames, registers },
        collect() {
          this.reset();
          for (const board of boards)
            this.inc({ board: board.name }, board.counters[field as keyof LinkCounters]);
        },
      });
    const gauge = (name: string, help: string, value: (board: HubBoard) => number): void => {
      new Gauge({
        ...{ name: `${PREFIX}${name}`, help, labelNames, registers },
        collect() {
          for (const board of boards) this.set({ board: board.name }, value(board));
        },
      });
    };
    gauge('board_up', '1 while the board is reached.', ({ view: { health } }) =>
      health === 'good' || health === 'fault' ? 1 : 0,
    );
    gauge('board_fault', '1 while the board has latched a fault.', ({ view: { health, state } }) =>
      health === 'fault' || state === 'fault' ? 1 : 0,
    );
    gauge('board_running', '1 while a run is in progress.', ({ view }) => (view.run === null ? 0 : 1));
    gauge('board_leased', '1 while a client has the board.', ({ view }) => (view.lease === null ? 0 : 1));
    gauge('board_waiting_clients', 'Clients that wait for the board.', ({ view }) => view.queue.length);
    for (const kind of ['observers', 'connections'] as const)
      new Gauge({
        ...{ name: `${PREFIX}${kind}`, help: `Open ${kind} of this server.`, registers },
        collect() {
          this.set(server()[kind]);
        },
      });
    this.#roundTrips = new Histogram({
      name: `${PREFIX}round_trip_seconds`,
      help: 'From a command at the board’s port to its answer there.',
      ...{ labelNames, registers, buckets: ROUND_TRIP_BUCKETS },
    });
    for (const { name } of boards) this.#roundTrips.zero({ board: name });
  }

  /** The media type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Records a round trip. */
  tookRoundTrip(board: string, seconds: number): void {
    this.#roundTrips.observe({ board }, seconds);
  }

  /** All figures in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
