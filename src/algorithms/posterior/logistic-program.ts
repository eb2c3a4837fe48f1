import {
  ROW_ATTENUATION_MAX,
  ROW_RAIL,
  ROW_TABLE_NODES,
  ROW_TABLE_STEP,
} from '../../../firmware-protocol/limits.js';
import {
  PROGRAM_MODE,
  type ProgramImage,
  type RowElement,
} from '../../../firmware-protocol/program-image.js';
import { railOf, STATE_STEP, tickOf } from '../../board/board-range.js';
import { noiseRegister, noiseTemperatureRange } from '../../board/noise-register.js';
import {
  dampingCodeOf,
  programImage,
  quantizeCouplings,
  quantizeDrive,
  quantizeInitialState,
  quantizeVector,
} from '../../board/quantize.js';
import { powerOfTwoAbove } from '../../board/scaling.js';
import type { DeviceIdentity } from '../../driver/device-api.js';
import { ThermolinkError } from '../../errors.js';
import { normInf } from '../../linalg/products.js';
import { counted } from '../../number-text.js';
import { type LogisticPosterior, logistic } from './logistic.js';

/** A logistic regression as codes and registers of one board. */
export interface LogisticProgram {
  readonly image: ProgramImage;
  /** s_x of the codes: the requested one, or a little more. */
  readonly solutionScale: number;
  /** Time constant of the slowest mode, in ticks: after it, 1/e of a deviation is left. */
  readonly slowestTicks: number;
}

/**
 * Largest h·L of the stiffest mode. Above it, the finite tick visibly changes the stationary distribution.
 */
const STEP_MAX = 0.5;
/** Number of standard deviations around the mode that fit below the rail. */
const HEADROOM = 6;
/** The table must reach this |z|, unless all rows stay below it. The logistic function is flat beyond it. */
const REACH = 12;
/** The noise register is used up to this share of its largest κ. */
const NOISE_SHARE = 1 / 1.001;
/** Number of samples of the logistic function between two nodes. */
const SAMPLES = 8;
const INT16_MAX = 2 ** 15 - 1;
/**
 * Least number of codes between the ends of the table. Fewer codes cannot represent the shape of the
 * function.
 */
const GAIN_MIN = 32;

/**
 * s_x: the power of two that keeps each unknown below the rail within six standard deviations of the mode.
 */
export function logisticScale({ mode, laplaceSd }: LogisticPosterior, identity: DeviceIdentity): number {
  const reach = Math.max(...mode.map((value, i) => Math.abs(value) + HEADROOM * laplaceSd[i]));
  return powerOfTwoAbove(reach / railOf(identity));
}

/**
 * The program whose cells drift by −λ(θ − μ) − Xᵀ(s(Xθ) − (y − ½)), s = σ − ½, in units of s_A s_x, under
 * noise κ = 1/(s_A s_x²). The rows are X/s_K. The element is T(y) = c·s(s_K s_x 2^ρ y/2¹⁴) with c = 2¹⁴
 * s_K/(s_A s_x 2^ρ). Its table is fitted by least squares, because interpolation doubles the error of the
 * mean. The labels are row drives c·(y − ½), so the gain error of a row multiplies only a small difference
 * (decision 81).
 *
 * s_A = max(hL/½, |λμ|∞/(R s_x), 1/(κ_max s_x²)) with L the largest curvature. Errors: UNSUPPORTED for more
 * rows than the attenuation allows.
 */
export function logisticProgram(
  posterior: LogisticPosterior,
  identity: DeviceIdentity,
  scaleAsked: number,
): LogisticProgram {
  const { inputs, labels, priorPrecision, priorMean, mode, curvatureMin, curvatureMax } = posterior;
  const tick = tickOf(identity);
  const unit = 2 ** (identity.couplingBits - 1);
  const rowScale = normInf(inputs.data) / ((unit - 1) / unit);
  const drive = priorMean.map((value) => priorPrecision * value);
  const noiseMax = NOISE_SHARE * noiseTemperatureRange(identity, tick).max;
  const systemScale = Math.max(
    (tick * curvatureMax) / STEP_MAX,
    normInf(drive) / (identity.driveRange * scaleAsked),
    1 / (noiseMax * scaleAsked ** 2),
  );
  const attenuation = attenuationFor(posterior, identity, {
    rowScale,
    systemScale,
    solutionScale: scaleAsked,
  });
  const wanted = rowScale / (systemScale * scaleAsked * 2 ** attenuation * STATE_STEP);
  // The gain is even. Therefore the ends of the table and the row drives are whole numbers, and they cancel
  // in rows that saturate.
  const gain = 2 * Math.floor(wanted / 2);
  if (gain < GAIN_MIN) throw tooCoarse(wanted);
  const solutionScale = (scaleAsked * wanted) / gain;
  const rowElement: RowElement = {
    linearRows: 0,
    table: logisticTable(rowScale * solutionScale * 2 ** attenuation * STATE_STEP, gain),
    drive: quantizeVector(
      labels.map((label) => label - 0.5),
      gain,
      INT16_MAX,
    ),
  };
  const codes = {
    mode: PROGRAM_MODE.factored,
    cells: inputs.columns,
    rows: inputs.rows,
    couplingBits: identity.couplingBits,
    rowAttenuation: attenuation,
    couplings: quantizeCouplings(inputs, unit / rowScale, identity.couplingBits),
    damping: dampingCodeOf(priorPrecision, systemScale),
  };
  const scaling = {
    systemScale,
    solutionScale,
    couplingBits: identity.couplingBits,
    rowAttenuation: attenuation,
  };
  const image = programImage(
    codes,
    quantizeDrive(drive, scaling, identity),
    quantizeInitialState(mode, solutionScale),
    noiseRegister(1 / (systemScale * solutionScale ** 2), tick, identity),
  );
  return {
    image: { ...image, rowElement },
    solutionScale,
    slowestTicks: systemScale / (tick * curvatureMin),
  };
}

/** The least ρ for which the rows reach |z| = 12, or their largest |z|, and the table fits its codes. */
function attenuationFor(
  { inputs, mode, laplaceSd }: LogisticPosterior,
  { rowScaleMax }: DeviceIdentity,
  scales: { readonly rowScale: number; readonly systemScale: number; readonly solutionScale: number },
): number {
  const { rowScale, systemScale, solutionScale } = scales;
  const { rows, columns, data } = inputs;
  let furthest = 0;
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let i = 0; i < columns; i++)
      sum += Math.abs(data[r * columns + i]) * (Math.abs(mode[i]) + HEADROOM * laplaceSd[i]);
    furthest = Math.max(furthest, sum);
  }
  const rail = ROW_RAIL * STATE_STEP;
  const needed = Math.max(
    Math.log2(Math.min(REACH, furthest) / (rail * rowScale * solutionScale)),
    Math.log2(rowScale / (2 * systemScale * solutionScale * INT16_MAX * STATE_STEP)),
  );
  const attenuation = Math.max(0, Math.ceil(needed));
  if (attenuation <= ROW_ATTENUATION_MAX && rows * 2 ** attenuation <= rowScaleMax) return attenuation;
  throw new ThermolinkError(
    'UNSUPPORTED',
    `${counted(rows, 'observation')} need rows that are divided by 2^${attenuation}; the limit of this board is m·2^ρ ≤ ${rowScaleMax}.`,
    {
      hint: 'Standardise the columns, use fewer observations, or choose a prior with a larger precision.',
      data: { rows, rowAttenuation: attenuation, rowScaleMax },
    },
  );
}

function tooCoarse(codes: number): ThermolinkError {
  return new ThermolinkError(
    'UNSUPPORTED',
    `The logistic function would span ${Math.floor(codes)} codes of the rows' table; at least ${GAIN_MIN} are needed.`,
    {
      hint: 'Standardise the columns, use fewer observations, or choose a prior with a larger precision.',
      data: { codes, codesMin: GAIN_MIN },
    },
  );
}

/**
 * The 161 nodes of the piecewise linear function nearest to `gain`·(σ − ½) in least squares, for an even
 * `gain`. `unit` is z of one step of y. Nodes are rounded from the middle outwards, and each rounding error
 * is carried to the next node. So the errors of neighbours cancel. Plain rounding would move means by some
 * hundredths of a standard deviation.
 */
export function logisticTable(unit: number, gain: number): Int16Array<ArrayBuffer> {
  const last = ROW_TABLE_NODES - 1;
  const diagonal = new Float64Array(ROW_TABLE_NODES);
  const beside = new Float64Array(ROW_TABLE_NODES);
  const right = new Float64Array(ROW_TABLE_NODES);
  for (let i = 0; i < last; i++)
    for (let k = 0; k < SAMPLES; k++) {
      const u = (k + 0.5) / SAMPLES;
      const value = gain * (logistic((i - last / 2 + u) * ROW_TABLE_STEP * unit) - 0.5);
      diagonal[i] += (1 - u) ** 2;
      diagonal[i + 1] += u * u;
      beside[i] += u * (1 - u);
      right[i] += (1 - u) * value;
      right[i + 1] += u * value;
    }
  // Elimination needs no pivots, because the matrix is tridiagonal and positive definite.
  for (let i = 1; i <= last; i++) {
    const factor = beside[i - 1] / diagonal[i - 1];
    diagonal[i] -= factor * beside[i - 1];
    right[i] -= factor * right[i - 1];
  }
  for (let i = last; i >= 0; i--)
    right[i] = (right[i] - (i < last ? beside[i] * right[i + 1] : 0)) / diagonal[i];
  return roundedTable(right, gain / 2);
}

function roundedTable(values: Float64Array, end: number): Int16Array<ArrayBuffer> {
  const table = new Int16Array(values.length);
  const middle = (values.length - 1) / 2;
  let left = 0;
  for (let k = 1; k <= middle; k++) {
    const wanted = Math.min(values[middle + k], end) + left;
    const code = Math.min(end, Math.round(wanted));
    left = wanted - code;
    table[middle + k] = code;
    table[middle - k] = -code;
  }
  return table;
}
