import { badArgument, checkNumber, checkObject, checkWhole } from '../../argument-checks.js';
import type { BoardCalibration } from '../../board/calibration.js';
import { checkSystem } from '../../board/checked-system.js';
import type { RunAddress } from '../../board/run-seed.js';
import type { BoardDevice } from '../../driver/device-api.js';
import { ThermolinkError } from '../../errors.js';
import { cholesky } from '../../linalg/cholesky.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import { gramOfColumns } from '../../linalg/products.js';
import { drawSamples, type SamplingResult } from '../sample.js';
import { drawExact, exactGaussian } from './exact.js';

/** The last layer of a trained classifier, with the data that its curvature is computed from. */
export interface LastLayer {
  /** W, C×d: the trained weights. The last column has the constant terms. */
  readonly weights: Matrix;
  /** Φ, n×d: the inputs of the layer for each training example. The last column is 1. */
  readonly features: Matrix;
  /** n×C: the class probabilities of each training example. */
  readonly probabilities: Matrix;
}

/**
 * The Laplace approximation of the last layer in Kronecker form: the precision of W is A ⊗ G around the
 * trained weights.
 */
export interface LaplacePosterior {
  readonly weights: Matrix;
  /** √n ΦᵀΦ/n + √λ I, d×d: the factor that a board draws from. */
  readonly inputPrecision: Matrix;
  /** √n mean(diag p − ppᵀ) + √λ I, C×C: the factor that the host draws from. */
  readonly outputPrecision: Matrix;
}

/** A request to draw networks on a board. */
export interface LaplaceDrawRequest {
  readonly posterior: LaplacePosterior;
  /** Number of networks; each takes C draws of the board. */
  readonly networks: number;
  readonly address: RunAddress;
  readonly calibration?: BoardCalibration;
  readonly signal?: AbortSignal;
  /** Called with the number of draws so far. */
  readonly onProgress?: (done: number) => void;
}

/** Networks of the posterior. */
export interface LaplaceDraws extends Omit<SamplingResult, 'draws'> {
  /** A C×d matrix of weights for each network. */
  readonly networks: readonly Matrix[];
}

/**
 * Makes the posterior for a Gaussian prior of precision λ = `priorPrecision` > 0 on every weight. Errors:
 * BAD_ARGUMENT, BAD_MATRIX for shapes that do not fit and numbers that are not finite.
 *
 * Source: Ritter, Botev, Barber, "A scalable Laplace approximation for neural networks" (2018); Daxberger et
 * al., arXiv 2106.14806.
 */
export function laplacePosterior(layer: LastLayer, priorPrecision: number): LaplacePosterior {
  checkObject('layer', layer, '{ weights, features, probabilities }');
  const { weights, features, probabilities } = layer;
  for (const [name, part] of Object.entries({ weights, features, probabilities }))
    checkObject(name, part, 'matrix(rows, columns, data)');
  checkNumber('priorPrecision', priorPrecision, 0);
  if (priorPrecision === 0) throw badArgument('priorPrecision', 0, 'a number above 0');
  const { rows: count, columns: inputs } = features;
  const outputs = weights.rows;
  const fits =
    weights.columns === inputs &&
    probabilities.rows === count &&
    probabilities.columns === outputs &&
    count > 0;
  if (!fits)
    throw new ThermolinkError(
      'BAD_MATRIX',
      `weights is ${outputs}×${weights.columns}, features ${count}×${inputs}, probabilities ${probabilities.rows}×${probabilities.columns}: they do not fit.`,
      { hint: 'Give C×d weights, n×d features and n×C probabilities.' },
    );
  const root = Math.sqrt(count);
  const inputGram = gramOfColumns(features);
  const outputGram = gramOfColumns(probabilities);
  const inputPrecision = scaled(inputGram, 1 / root, Math.sqrt(priorPrecision));
  const outputPrecision = scaled(outputGram, -1 / root, Math.sqrt(priorPrecision));
  for (let k = 0; k < count; k++)
    for (let c = 0; c < outputs; c++)
      outputPrecision.data[c * outputs + c] += probabilities.data[k * outputs + c] / root;
  // Both factors are checked here, so nothing is sent if a feature is not finite.
  checkSystem({ kind: 'dense', matrix: inputPrecision });
  checkSystem({ kind: 'dense', matrix: outputPrecision });
  return { weights, inputPrecision, outputPrecision };
}

/**
 * Draws networks W + L⁻ᵀV: each row of V is a draw N(0, A⁻¹) of the board, L Lᵀ = G is factored on the host.
 * Errors: those of `drawSamples`; NOT_POSITIVE_DEFINITE.
 */
export async function drawLaplace(device: BoardDevice, request: LaplaceDrawRequest): Promise<LaplaceDraws> {
  checkObject('The request', request, '{ posterior, networks: 50, address: { seed: 1, step: 0, block: 0 } }');
  const { posterior, networks, address, calibration, signal, onProgress } = request;
  checkObject('posterior', posterior, 'laplacePosterior(layer, 1)');
  checkWhole('networks', networks, 1);
  const { draws, ...rest } = await drawSamples(device, {
    precision: { kind: 'dense', matrix: posterior.inputPrecision },
    count: networks * posterior.weights.rows,
    ...{ address, calibration, signal, onProgress },
  });
  return { ...rest, networks: networksOf(posterior, draws) };
}

/** Like `drawLaplace`, with draws of the host. Errors: NOT_POSITIVE_DEFINITE. */
export function drawExactLaplace(
  posterior: LaplacePosterior,
  networks: number,
  address: RunAddress,
): Matrix[] {
  const { weights, inputPrecision } = posterior;
  const exact = exactGaussian({
    precision: checkSystem({ kind: 'dense', matrix: inputPrecision }),
    drive: new Float64Array(weights.columns),
  });
  return networksOf(posterior, drawExact(exact, networks * weights.rows, address));
}

/** W + L⁻ᵀV for every C rows of `draws`. */
function networksOf({ weights, outputPrecision }: LaplacePosterior, draws: Matrix): Matrix[] {
  const outcome = cholesky(outputPrecision);
  if (!outcome.ok)
    throw new ThermolinkError(
      'NOT_POSITIVE_DEFINITE',
      'The curvature of the outputs is not positive definite.',
      {
        hint: 'Choose a larger `priorPrecision`.',
        data: { pivot: outcome.pivot },
      },
    );
  const l = outcome.factor.data;
  const { rows: outputs, columns: inputs } = weights;
  return Array.from({ length: draws.rows / outputs }, (_, s) => {
    const network = matrix(outputs, inputs);
    const drawn = draws.data.subarray(s * outputs * inputs, (s + 1) * outputs * inputs);
    for (let c = outputs - 1; c >= 0; c--)
      for (let j = 0; j < inputs; j++) {
        let rest = drawn[c * inputs + j];
        for (let k = c + 1; k < outputs; k++) rest -= l[k * outputs + c] * network.data[k * inputs + j];
        network.data[c * inputs + j] = rest / l[c * outputs + c];
      }
    for (let k = 0; k < network.data.length; k++) network.data[k] += weights.data[k];
    return network;
  });
}

/** factor·M + shift·I. */
function scaled({ rows, data }: Matrix, factor: number, shift: number): Matrix {
  const out = matrix(
    rows,
    rows,
    data.map((entry) => factor * entry),
  );
  for (let i = 0; i < rows; i++) out.data[i * rows + i] += shift;
  return out;
}
