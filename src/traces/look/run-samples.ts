import type { Answer } from '../../../firmware-protocol/messages/index.js';
import { ThermolinkError } from '../../errors.js';
import type { LinkChunk, TraceSamples } from '../trace-message.js';
import type { LedgerRun } from './run-ledger.js';
import { SessionLedger } from './session-ledger.js';

/** Largest number of readings of one run in memory: 2²⁸ codes, which take 0.75 GiB with their marks. */
const CODES_MAX = 2 ** 28;
const CODES_AT_FIRST = 4096;

/** The samples of one board run in a recording. */
export interface RunSamples {
  readonly run: LedgerRun;
  /** The identity of the board. It gives the conversion of codes to volts. */
  readonly board: Answer<'hello'> | undefined;
  readonly cells: number;
  /** Number of samples, up to the last one with any reading. */
  readonly samples: number;
  /** samples × cells ADC codes, row-major. */
  readonly codes: Int16Array;
  /** samples × cells: 1 if the reading has arrived, 0 if it is lost. */
  readonly present: Uint8Array;
}

/** Number of the tick of a sample (protocol.md, "Messages"). Errors: none. */
export function tickOf({ request }: LedgerRun, sample: number): number {
  return request.firstTick + request.burnInTicks + sample * request.ticksPerSample;
}

/**
 * The samples of each run that has any, run by run. Blocks that were sent again are at their place, and lost
 * readings are marked. Errors: TOO_LARGE for a run with more codes than fit; those of `chunks`.
 */
export function* runSamples(chunks: Iterable<LinkChunk>): Generator<RunSamples> {
  const ledger = new SessionLedger();
  let open: OpenRun | undefined;
  let ended: OpenRun[] = [];
  for (const chunk of chunks) {
    ledger.push(chunk, ({ samples }, run) => {
      if (!samples || !run) return;
      if (open?.run !== run) {
        if (open) ended.push(open);
        open = new OpenRun(run, ledger.board);
      }
      open.add(samples);
    });
    for (const run of ended) yield run.samplesSoFar;
    ended = [];
  }
  if (open) yield open.samplesSoFar;
}

/** The samples of the run whose blocks are arriving. */
class OpenRun {
  readonly run: LedgerRun;
  readonly #board: Answer<'hello'> | undefined;
  /**
   * Number of cells of a sample, as far as it is known. It grows until the first sample is complete, because
   * a block does not tell the total number of cells.
   */
  #cells = 0;
  #samples = 0;
  #codes = new Int16Array(CODES_AT_FIRST);
  #present = new Uint8Array(CODES_AT_FIRST);

  constructor(run: LedgerRun, board: Answer<'hello'> | undefined) {
    this.run = run;
    this.#board = board;
  }

  get samplesSoFar(): RunSamples {
    const size = this.#samples * this.#cells;
    return {
      run: this.run,
      board: this.#board,
      cells: this.#cells,
      samples: this.#samples,
      codes: this.#codes.subarray(0, size),
      present: this.#present.subarray(0, size),
    };
  }

  add({ header, codes }: TraceSamples): void {
    const { firstSample, firstCell, cellCount } = header;
    // The header of a block may claim more samples than the block holds.
    const sampleCount = Math.min(header.sampleCount, Math.ceil(codes.length / cellCount));
    const end = firstCell + cellCount;
    if (end > this.#cells) this.#widen(end);
    this.#grow((firstSample + sampleCount) * this.#cells);
    this.#samples = Math.max(this.#samples, firstSample + sampleCount);
    for (let sample = 0; sample < sampleCount; sample++) {
      // The last sample may be incomplete.
      const row = codes.subarray(sample * cellCount, (sample + 1) * cellCount);
      const at = (firstSample + sample) * this.#cells + firstCell;
      this.#codes.set(row, at);
      this.#present.fill(1, at, at + row.length);
      if (row.length < cellCount) return;
    }
  }

  /** Rearranges the samples for more cells. */
  #widen(cells: number): void {
    const before = { cells: this.#cells, codes: this.#codes, present: this.#present };
    this.#cells = cells;
    this.#codes = new Int16Array(0);
    this.#present = new Uint8Array(0);
    this.#grow(Math.max(CODES_AT_FIRST, this.#samples * cells));
    for (let sample = 0; sample < this.#samples; sample++) {
      const [from, to] = [sample * before.cells, (sample + 1) * before.cells];
      this.#codes.set(before.codes.subarray(from, to), sample * cells);
      this.#present.set(before.present.subarray(from, to), sample * cells);
    }
  }

  #grow(size: number): void {
    if (size > CODES_MAX)
      throw new ThermolinkError(
        'TOO_LARGE',
        `Run ${this.run.run} has more than ${CODES_MAX} readings, which do not fit into memory.`,
        { hint: 'Export the messages as lines of JSON; these are written one by one.' },
      );
    if (size <= this.#codes.length) return;
    const length = Math.min(CODES_MAX, Math.max(size, 2 * this.#codes.length));
    const codes = new Int16Array(length);
    codes.set(this.#codes);
    this.#codes = codes;
    const present = new Uint8Array(length);
    present.set(this.#present);
    this.#present = present;
  }
}
