import { drawPosterior, type PosteriorChain } from '../../../algorithms/posterior/chain.js';
import { drawExact, exactGaussian } from '../../../algorithms/posterior/exact.js';
import type { GaussianPosterior } from '../../../algorithms/posterior/gaussian.js';
import type { Device } from '../../../driver/device.js';
import { applySystem } from '../../../linalg/linear-system.js';
import type { Matrix } from '../../../linalg/matrix.js';
import { dot } from '../../../linalg/products.js';
import { formatNumber } from '../../../number-text.js';
import type { OnBoard } from '../../board-command.js';
import { readCalibration } from '../../input/read-calibration.js';
import { type DrawnChains, drawChains } from './chains.js';
import { marginalsFigure, normalDensity, tracesFigure } from './figures.js';
import type { ExactRun } from './report.js';

/** Options that both commands for Gaussian posteriors read. */
export interface GaussianOptions {
  readonly draws: number;
  readonly seed: number;
  readonly calibration: string | undefined;
  readonly mean: 'refined' | 'board';
}

/**
 * Chains of a Gaussian posterior. `posteriorFor` makes the posterior for a board, which may have fewer rows
 * than there are observations.
 */
export async function gaussianChains(
  onBoard: OnBoard,
  boards: readonly string[],
  { draws, seed, mean, calibration: calibrationFile }: GaussianOptions,
  posteriorFor: (board: Device) => GaussianPosterior,
): Promise<DrawnChains<PosteriorChain>> {
  const calibration = await readCalibration(calibrationFile, boards[0]);
  return drawChains(onBoard, boards, draws, seed, (board, use) =>
    drawPosterior(board, { posterior: posteriorFor(board), draws, mean, calibration, ...use }),
  );
}

/** The exact moments, and the time that a host needs to factorise and to draw the same number of samples. */
export function exactRun(posterior: GaussianPosterior, draws: number, seed: number): ExactRun {
  const start = performance.now();
  const exact = exactGaussian(posterior);
  drawExact(exact, draws, { seed, step: 0, block: 0 });
  return { mean: exact.mean, sd: exact.sd, hostSeconds: (performance.now() - start) / 1000 };
}

/** ln of the density of each draw without its constant: bᵀθ − ½θᵀAθ. */
export function gaussianLogDensities(
  { precision, drive }: GaussianPosterior,
  chains: readonly { readonly draws: Matrix }[],
): Float64Array[] {
  return chains.map(({ draws: { rows, columns, data } }) =>
    Float64Array.from({ length: rows }, (_, k) => {
      const draw = data.subarray(k * columns, (k + 1) * columns);
      return dot(drive, draw) - dot(draw, applySystem(precision.system, draw)) / 2;
    }),
  );
}

/** Marginals and traces, and the exact densities as dashed curves if the user asked for them. */
export function gaussianPictures(
  title: string,
  names: readonly string[],
  draws: readonly Matrix[],
  exact: ExactRun | undefined,
) {
  const densities = names.map((_, j) => normalDensity(exact?.mean[j] ?? 0, exact?.sd[j] ?? 1));
  return {
    'marginals.svg': marginalsFigure(`Marginals: ${title}`, names, draws, exact && { densities }),
    'traces.svg': tracesFigure(`Traces: ${title}`, names, draws),
  };
}

/** How good the means are, as a row of the report. */
export function meanRow(
  chains: readonly Pick<PosteriorChain, 'meanErrorBound'>[],
  mean: 'refined' | 'board',
): string[] {
  if (mean === 'board') return ['means', 'those of the driven boards'];
  const bound = Math.max(...chains.map(({ meanErrorBound }) => meanErrorBound));
  return ['means', `refined to within ${formatNumber(bound, 2)} posterior standard deviations (proved)`];
}
