import { PROGRAM_MODE, type ProgramImage } from '../../../../firmware-protocol/program-image.js';
import { adcStep, driveStep, tickOf } from '../../../board/board-range.js';
import { noiseRegister, noiseTemperatureRange } from '../../../board/noise-register.js';
import { dampingCodeOf, quantizeCouplings, quantizeVector } from '../../../board/quantize.js';
import type { Device } from '../../../driver/device.js';
import type { DeviceIdentity } from '../../../driver/device-api.js';
import { ThermolinkError } from '../../../errors.js';
import type { Matrix } from '../../../linalg/matrix.js';
import { counted, formatExact, formatNumber } from '../../../number-text.js';

/** The program of one run, in units of the board: G_fs, V_fs and τ. */
export interface DirectRun {
  readonly bank: number;
  readonly seed: number;
  /** Couplings in G_fs. Undefined: uncoupled cells. */
  readonly couplings: Matrix | undefined;
  /** Currents in V_fs·G_fs: one for each cell, or one for all cells. */
  readonly drive: Float64Array | number;
  /** Conductance of every cell to ground, in G_fs. */
  readonly damping: number;
  /** κ in V_fs²; 0 for no noise. */
  readonly noise: number;
  /** Time from the start to the first reading, in τ. */
  readonly settle: number;
  /** Time between two readings, in τ. */
  readonly every: number;
  readonly samples: number;
}

/** The readings of the cells. Voltages are in V_fs. */
export interface CellReadings {
  readonly outcome: string;
  readonly ticks: number;
  readonly readings: number;
  readonly mean: number[];
  readonly standardDeviation: number[];
  readonly overloadedCells: readonly number[];
}

/** The conductance of the largest coupling code, in G_fs. */
const couplingMax = (bits: number): number => (2 ** (bits - 1) - 1) / 2 ** (bits - 1);
/** Largest number of cells of a run without couplings, so that its table stays short. */
const UNCOUPLED_CELLS_MAX = 64;

/**
 * Loads the given program without scaling, runs it once and reads the cells. Errors: BAD_ARGUMENT and
 * TOO_LARGE for values that the board cannot hold without scaling; UNSUPPORTED for couplings on a board
 * without a dense array; those of a run.
 */
export async function runDirectly(
  device: Device,
  request: DirectRun,
  signal: AbortSignal,
): Promise<CellReadings> {
  const { identity } = device;
  const { bank, seed, settle, every, samples } = request;
  const image = directImage(identity, request);
  await device.loadProgram(bank, image, { signal });
  const tick = tickOf(identity);
  const { codes, report } = await device.acquire({
    bank,
    runSeed: seed,
    burnInTicks: Math.round(settle / tick),
    sampleCount: samples,
    ticksPerSample: samples === 1 ? 0 : Math.max(1, Math.round(every / tick)),
    signal,
  });
  return {
    outcome: report.outcome,
    ticks: report.ticksDone,
    readings: report.samplesTaken,
    ...moments(codes, image.cells, adcStep(identity.adcBits)),
    overloadedCells: report.overloadedCells,
  };
}

function directImage(identity: DeviceIdentity, request: DirectRun): ProgramImage {
  const { couplings, drive, damping, noise } = request;
  const cells = couplings?.rows ?? Math.min(identity.cells, UNCOUPLED_CELLS_MAX);
  if (cells > identity.cells)
    throw new ThermolinkError('TOO_LARGE', `${counted(cells, 'cell')} do not fit ${identity.cells}.`, {
      hint: 'Choose a larger board, or a smaller matrix.',
    });
  if (couplings && !identity.hasDense)
    throw new ThermolinkError('UNSUPPORTED', 'This board has no dense array for couplings.', {
      hint: 'Leave the couplings out, or use `thermolink solve`, which factors a system.',
    });
  const rows = identity.hasDense ? cells : 1;
  const { couplingBits, driveBits, driveRange } = identity;
  if (couplings) refuseLarger('couplings', couplings.data, couplingMax(couplingBits), 'G_fs');
  const currents = typeof drive === 'number' ? new Float64Array(cells).fill(drive) : drive;
  if (currents.length !== cells)
    throw new ThermolinkError('BAD_ARGUMENT', `drive has ${currents.length} entries for ${cells} cells.`, {
      hint: 'Give one number for each cell.',
    });
  refuseLarger('drive', currents, driveRange, 'V_fs·G_fs');
  const { max } = noiseTemperatureRange(identity, tickOf(identity));
  if (noise > max)
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `noise is ${noise}; this board has up to ${formatNumber(max)} V_fs².`,
      {
        hint: '`thermolink info` shows the range.',
      },
    );
  const register = noiseRegister(noise, tickOf(identity), identity);
  const zeros = new (couplingBits <= 8 ? Int8Array : Int16Array)(rows * cells);
  return {
    mode: identity.hasDense ? PROGRAM_MODE.dense : PROGRAM_MODE.factored,
    cells,
    rows,
    couplingBits,
    rowAttenuation: 0,
    couplings: couplings ? quantizeCouplings(couplings, 2 ** (couplingBits - 1), couplingBits) : zeros,
    drive: quantizeVector(currents, 1 / driveStep(identity), 2 ** (driveBits - 1) - 1),
    initialState: new Int16Array(cells),
    damping: dampingCodeOf(damping, 1),
    noiseAmplitude: register.amplitude,
    noiseShift: register.shift,
  };
}

function refuseLarger(name: string, values: Float64Array, limit: number, unit: string): void {
  const at = values.findIndex((value) => Math.abs(value) > limit);
  if (at < 0) return;
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `${name} has the entry ${formatExact(values[at])}; this board has at most ±${formatNumber(limit)} ${unit}.`,
    { hint: 'Scale the numbers down yourself: a run in units of the board does not scale them.' },
  );
}

function moments(codes: Int16Array, cells: number, step: number) {
  const count = codes.length / cells;
  const of = (cell: number) => {
    let [sum, squares] = [0, 0];
    for (let at = cell; at < codes.length; at += cells) {
      sum += codes[at];
      squares += codes[at] * codes[at];
    }
    const variance = count > 1 ? (squares - (sum * sum) / count) / (count - 1) : 0;
    return { mean: (sum / Math.max(1, count)) * step, deviation: Math.sqrt(Math.max(0, variance)) * step };
  };
  const all = Array.from({ length: cells }, (_, cell) => of(cell));
  return {
    mean: all.map(({ mean }) => mean),
    standardDeviation: all.map(({ deviation }) => deviation),
  };
}
