import type { Direction } from '../../../firmware-protocol/message-table.js';
import { adcStep } from '../../board/board-range.js';
import type { LinkChunk, TraceSamples } from '../trace-message.js';
import type { PlacedMessage } from './message-filter.js';
import type { LedgerRun } from './run-ledger.js';
import { SessionLedger, secondsBetween } from './session-ledger.js';

/** The traffic in one direction since the last call of `look`. */
export interface LiveRate {
  readonly bytesPerSecond: number;
  readonly messagesPerSecond: number;
}

/** The readings of one cell since the last call of `look`. */
export interface LiveCell {
  readonly cell: number;
  /** The newest reading, in volts. */
  readonly volts: number;
  /**
   * Number of readings since the last call of `look`, and their mean and standard deviation in volts. Without
   * readings the mean is the newest one.
   */
  readonly readings: number;
  readonly meanVolts: number;
  readonly spreadVolts: number;
}

/** Figures of a running session. */
export interface LiveFigures {
  readonly state: SessionLedger['state'];
  readonly model: string | undefined;
  readonly serialNumber: string | undefined;
  readonly bootEpoch: number | undefined;
  readonly sessions: number;
  readonly connections: number;
  readonly runs: number;
  /**
   * The newest run: its number among the runs, its state, and the number of received and requested samples.
   */
  readonly run:
    | (Pick<LedgerRun, 'run' | 'outcome' | 'samples'> & { readonly sampleCount: number })
    | undefined;
  readonly rates: Readonly<Record<Direction, LiveRate>>;
  readonly bytes: number;
  readonly badFrames: number;
  readonly sentAgain: number;
  readonly sampleFramesLost: number;
  readonly samplesLost: number;
  readonly stops: number;
  readonly refusals: number;
  /** The chosen cells that have readings. */
  readonly cells: readonly LiveCell[];
}

class CellReadings {
  last = 0;
  count = 0;
  #mean = 0;
  #squares = 0;

  add(code: number): void {
    this.last = code;
    this.count++;
    const before = code - this.#mean;
    this.#mean += before / this.count;
    this.#squares += before * (code - this.#mean);
  }

  figures(cell: number, stepVolts: number): LiveCell {
    return {
      cell,
      volts: this.last * stepVolts,
      readings: this.count,
      meanVolts: (this.count === 0 ? this.last : this.#mean) * stepVolts,
      spreadVolts: this.count < 2 ? 0 : Math.sqrt(this.#squares / (this.count - 1)) * stepVolts,
    };
  }

  restart(): void {
    this.count = 0;
    this.#mean = 0;
    this.#squares = 0;
  }
}

/** Watches the bytes of a session. Each call of `look` returns its present figures. */
export class LiveSession {
  readonly #ledger = new SessionLedger();
  readonly #cells: ReadonlyMap<number, CellReadings>;
  readonly #seen = new Set<number>();
  #samplesLost = 0;
  #countedRuns = 0;
  #lookedAtSeconds = 0;
  #before: Readonly<Record<Direction, { bytes: number; messages: number }>> = {
    toDevice: { bytes: 0, messages: 0 },
    toHost: { bytes: 0, messages: 0 },
  };

  constructor(cells: readonly number[]) {
    this.#cells = new Map(cells.map((cell) => [cell, new CellReadings()]));
  }

  /** Takes the next bytes, and calls `onMessage` for each message that they complete. */
  push(chunk: LinkChunk, onMessage: (placed: PlacedMessage) => void = () => undefined): void {
    this.#ledger.push(chunk, (message, run) => {
      if (message.samples) this.#read(message.samples);
      const seconds = secondsBetween(this.#ledger.firstNs, message.hostTimeNs);
      onMessage({ message, seconds, run });
    });
  }

  /** The present figures. Rates and readings are those since the last call, in the time of the session. */
  look(): LiveFigures {
    const seconds = this.#ledger.seconds - this.#lookedAtSeconds;
    this.#lookedAtSeconds = this.#ledger.seconds;
    const { board, state, passed, findings, runs, stops, refusals, sessions, connections } = this.#ledger;
    const perSecond = (count: number): number => (seconds > 0 ? count / seconds : 0);
    const rate = (direction: Direction): LiveRate => ({
      bytesPerSecond: perSecond(passed[direction].bytes - this.#before[direction].bytes),
      messagesPerSecond: perSecond(passed[direction].messages - this.#before[direction].messages),
    });
    const rates = { toDevice: rate('toDevice'), toHost: rate('toHost') };
    this.#before = { toDevice: { ...passed.toDevice }, toHost: { ...passed.toHost } };
    const stepVolts = board ? (adcStep(board.adcBits) * board.fullScaleMicrovolts) / 1e6 : Number.NaN;
    const cells = [...this.#cells]
      .filter(([cell]) => this.#seen.has(cell))
      .map(([cell, readings]) => readings.figures(cell, stepVolts));
    for (const readings of this.#cells.values()) readings.restart();
    const newest = runs.at(-1);
    return {
      state,
      model: board?.model,
      serialNumber: board?.serialNumber,
      bootEpoch: board?.bootEpoch,
      sessions,
      connections,
      runs: runs.length,
      run: newest && {
        run: newest.run,
        outcome: newest.outcome,
        samples: newest.samples,
        sampleCount: newest.request.sampleCount,
      },
      rates,
      bytes: passed.toDevice.bytes + passed.toHost.bytes,
      badFrames: findings.framesFaulty,
      sentAgain: findings.retransmissions,
      sampleFramesLost: findings.sampleFramesLost,
      samplesLost: this.#lostInRuns(runs),
      stops,
      refusals: [...refusals.values()].reduce((sum, count) => sum + count, 0),
      cells,
    };
  }

  #read({ header, codes }: TraceSamples): void {
    const { firstCell, cellCount, sampleCount } = header;
    for (const [cell, readings] of this.#cells) {
      if (cell < firstCell || cell >= firstCell + cellCount) continue;
      this.#seen.add(cell);
      for (let i = cell - firstCell; i < Math.min(codes.length, sampleCount * cellCount); i += cellCount)
        readings.add(codes[i]);
    }
  }

  /**
   * Number of samples that the board has skipped. An ended run does not change any more, and is added once.
   */
  #lostInRuns(runs: readonly LedgerRun[]): number {
    while (this.#countedRuns < runs.length - 1)
      this.#samplesLost += runs[this.#countedRuns++].report?.samplesLost ?? 0;
    return this.#samplesLost + (runs.at(-1)?.report?.samplesLost ?? 0);
  }
}
