import { FULL_SCALE } from '../../../firmware-protocol/limits.js';
import { PROGRAM_MODE, type ProgramImage } from '../../../firmware-protocol/program-image.js';
import type { DeviceIdentity } from '../../driver/device-api.js';
import { cholesky, choleskySolve } from '../../linalg/cholesky.js';
import { matrix } from '../../linalg/matrix.js';

/** Largest number of cells of an array that is inverted. An inversion takes N³ products for each program. */
const INVERTED_CELLS_MAX = 128;
/**
 * Factor on the variance, because noise and couplings of a sound board differ from nominal by some percent.
 */
const VARIANCE_MARGIN = 1.5;
/** Variance from the ADC, in codes²: rounding, and its own noise of up to one code. */
const ADC_VARIANCE = 1;

/** Facts about a run that are known before it is read. */
export interface RunFacts {
  readonly image: ProgramImage;
  /**
   * Ticks from the initial state to the reading; undefined if the run continues from the state after the last
   * run.
   */
  readonly ticks: number | undefined;
}

/** Computed diagonals of A⁻¹, with the damping, for the couplings of each program. */
const known = new WeakMap<
  ProgramImage['couplings'],
  { damping: number; diagonal: Float64Array | undefined }
>();

/**
 * Upper bound of the variance of one reading of each cell, in ADC codes² [cells]. κ is that of the noise
 * register, but at least the smallest κ of the board. The variance of the voltage is at most κ·(A⁻¹)_ii, the
 * value at equilibrium, and at most 2κ per τ since a known state (device-model.md). The smaller of the two
 * bounds counts, with a margin, plus the variance from the ADC. Undefined if neither bound is known.
 */
export function readingVariance(
  { image, ticks }: RunFacts,
  identity: DeviceIdentity,
): Float64Array | undefined {
  const tau = 2 ** -identity.tickLog2;
  const kick = (image.noiseAmplitude * 2 ** (13 - image.noiseShift)) / FULL_SCALE;
  const temperature = Math.max((kick * kick) / (2 * tau), identity.noiseTemperatureMin * 1e-12);
  const grown = ticks === undefined ? Infinity : 2 * ticks * tau;
  const settled = inverseDiagonal(image);
  if (!settled && grown === Infinity) return undefined;
  const codesPerFullScale = 2 ** (identity.adcBits - 2);
  const unit = VARIANCE_MARGIN * temperature * codesPerFullScale ** 2;
  return Float64Array.from({ length: image.cells }, (_, cell) => {
    const factor = Math.min(grown, settled?.[cell] ?? Infinity);
    return ADC_VARIANCE + unit * factor;
  });
}

/** (A⁻¹)_ii, or a bound of it. Undefined for an array that is too large or not positive definite. */
function inverseDiagonal(image: ProgramImage): Float64Array | undefined {
  const { mode, cells, couplings, damping } = image;
  const lambda = damping * 2 ** -15;
  if (mode === PROGRAM_MODE.factored)
    return lambda > 0 ? new Float64Array(cells).fill(1 / lambda) : undefined;
  if (cells > INVERTED_CELLS_MAX) return undefined;
  const before = known.get(couplings);
  if (before?.damping === damping) return before.diagonal;
  const unit = 2 ** (1 - image.couplingBits);
  const a = matrix(cells, cells);
  for (let i = 0; i < cells; i++)
    for (let j = 0; j < cells; j++)
      a.data[i * cells + j] =
        (unit * (couplings[i * cells + j] + couplings[j * cells + i])) / 2 + (i === j ? lambda : 0);
  const factored = cholesky(a);
  const diagonal = factored.ok
    ? Float64Array.from({ length: cells }, (_, i) => {
        const one = new Float64Array(cells);
        one[i] = 1;
        return choleskySolve(factored.factor, one)[i];
      })
    : undefined;
  known.set(couplings, { damping, diagonal });
  return diagonal;
}
