import type { Answer } from '../../../firmware-protocol/messages/index.js';
import { adcStep } from '../../board/board-range.js';
import { ThermolinkError } from '../../errors.js';
import type { LinkChunk } from '../trace-message.js';
import { checkRun } from './message-filter.js';
import { type RunSamples, runSamples, tickOf } from './run-samples.js';
import { SessionLedger } from './session-ledger.js';

/** The wanted samples, and their unit. */
export interface SampleRequest {
  /** Number of one board run in the recording. Default: all runs with samples. */
  readonly run?: number;
  /** Default: all. */
  readonly cells?: readonly number[];
  /** Whether values are ADC codes. Default: volts. */
  readonly asCodes?: boolean;
}

/** A recording whose bytes can be read repeatedly. */
export interface Chunks {
  chunks(): Iterable<LinkChunk>;
}

/** The size of the table. */
export interface SampleShape {
  readonly runs: number;
  readonly rows: number;
  readonly columns: number;
  /** Number of lost readings of the chosen cells. */
  readonly missing: number;
}

/**
 * The readings of the chosen runs, one row per sample, in volts (or ADC codes). A lost reading is NaN.
 * Errors: BAD_ARGUMENT for a run or cell that the recording does not have, and for runs with different
 * numbers of cells; BAD_FILE if the recording holds no samples.
 */
export class SampleTable {
  readonly #recording: Chunks;
  readonly #request: SampleRequest;
  readonly #cells: readonly number[];
  readonly shape: SampleShape;

  constructor(recording: Chunks, request: SampleRequest = {}) {
    this.#recording = recording;
    this.#request = request;
    let [runs, rows, missing] = [0, 0, 0];
    let cells: number | undefined;
    for (const samples of this.#chosen()) {
      if (cells !== undefined && cells !== samples.cells && !request.cells)
        throw new ThermolinkError(
          'BAD_ARGUMENT',
          `The runs have different numbers of cells: ${cells}, and ${samples.cells} in run ${samples.run.run}.`,
          { hint: 'Choose one run or the cells; `thermolink trace info` lists the runs.' },
        );
      this.#checkCells(samples);
      cells = samples.cells;
      runs++;
      rows += samples.samples;
      missing += missingOf(samples, request.cells ?? everyCell(cells));
    }
    if (cells === undefined) {
      checkRun(request.run, ledgerOf(recording).runs.length);
      throw noSamples(request);
    }
    this.#cells = request.cells ?? everyCell(cells);
    this.shape = { runs, rows, columns: this.#cells.length, missing };
  }

  get cells(): readonly number[] {
    return this.#cells;
  }

  /** The rows run by run, each a new array. */
  *rows(): Generator<{
    readonly run: number;
    readonly sample: number;
    readonly tick: number;
    readonly values: Float64Array;
  }> {
    for (const samples of this.#chosen()) {
      const { run, codes, present, cells } = samples;
      const step = this.#request.asCodes === true ? 1 : stepVolts(samples.board);
      for (let sample = 0; sample < samples.samples; sample++) {
        const values = Float64Array.from(this.#cells, (cell) => {
          const at = sample * cells + cell;
          return present[at] === 1 ? codes[at] * step : Number.NaN;
        });
        yield { run: run.run, sample, tick: tickOf(run, sample), values };
      }
    }
  }

  *#chosen(): Generator<RunSamples> {
    const { run } = this.#request;
    for (const samples of runSamples(this.#recording.chunks()))
      if (run === undefined || samples.run.run === run) yield samples;
  }

  #checkCells({ run, cells }: RunSamples): void {
    const beyond = this.#request.cells?.find((cell) => cell >= cells);
    if (beyond !== undefined)
      throw new ThermolinkError('BAD_ARGUMENT', `Run ${run.run} has no cell ${beyond}: it has ${cells}.`, {
        hint: 'Cells are counted from 0.',
      });
  }
}

function everyCell(cells: number): number[] {
  return Array.from({ length: cells }, (_, cell) => cell);
}

/** Number of lost readings of the chosen cells in one run. */
function missingOf({ samples, cells, present }: RunSamples, chosen: readonly number[]): number {
  let missing = 0;
  for (let sample = 0; sample < samples; sample++)
    for (const cell of chosen) missing += 1 - present[sample * cells + cell];
  return missing;
}

function ledgerOf(recording: Chunks): SessionLedger {
  const ledger = new SessionLedger();
  for (const chunk of recording.chunks()) ledger.push(chunk);
  return ledger;
}

function noSamples({ run }: SampleRequest): ThermolinkError {
  const which = run === undefined ? 'The recording holds' : `Run ${run} has`;
  return new ThermolinkError('BAD_FILE', `${which} no samples.`, {
    hint: '`thermolink trace info` lists the runs and how many samples came.',
  });
}

function stepVolts(board: Answer<'hello'> | undefined): number {
  if (board) return (adcStep(board.adcBits) * board.fullScaleMicrovolts) / 1e6;
  throw new ThermolinkError(
    'BAD_FILE',
    'The recording does not give the voltage of an ADC code of this board.',
    {
      hint: 'Export codes.',
    },
  );
}
