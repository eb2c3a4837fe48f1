import { badArgument, checkArray, checkNumber, checkObject } from '../../argument-checks.js';
import { checkSystem } from '../../board/checked-system.js';
import { ThermolinkError } from '../../errors.js';
import { cholesky, choleskySolve } from '../../linalg/cholesky.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import { dot, matVec, matVecTransposed, normInf } from '../../linalg/products.js';
import { counted } from '../../number-text.js';
import { checkDesign } from './gaussian.js';

/** P(y = 1) = σ(xᵀθ) with σ the logistic function, and θ ~ N(μ, I/λ). */
export interface LogisticRequest {
  /** X, m×N; each row is an observation. */
  readonly inputs: Matrix;
  /** y, length m: 0 or 1. Both values must occur. */
  readonly labels: ArrayLike<number>;
  /** λ > 0, in units of 1/θ². */
  readonly priorPrecision: number;
  /** μ, length N. Default 0. */
  readonly priorMean?: Float64Array;
}

/** A logistic regression with its mode, made by `logisticPosterior`. */
export interface LogisticPosterior {
  readonly inputs: Matrix;
  /** y, length m: 0 or 1. */
  readonly labels: Float64Array;
  /** λ, in units of 1/θ². */
  readonly priorPrecision: number;
  /** μ, length N. */
  readonly priorMean: Float64Array;
  /** The most probable θ, length N. */
  readonly mode: Float64Array;
  /** L, N×N. L Lᵀ is the Hessian at the mode, and is the precision of the Laplace approximation. */
  readonly hessianFactor: Matrix;
  /** Standard deviations of the Laplace approximation, length N. */
  readonly laplaceSd: Float64Array;
  /** The smallest eigenvalue of the Hessian at the mode, in units of 1/θ². */
  readonly curvatureMin: number;
  /** Upper bound λ + λ_max(XᵀX)/4 of the Hessian anywhere, in units of 1/θ². */
  readonly curvatureMax: number;
}

const NEWTON_STEPS_MAX = 100;

/**
 * Checks a logistic regression and finds its mode by Newton's method, O(mN²) a step. A step that lowers the
 * density is halved until it no longer does.
 *
 * Errors: BAD_ARGUMENT for labels other than 0 and 1, labels that are all equal, a precision or a mean of the
 * prior that is not allowed; BAD_MATRIX for `inputs` that do not fit the labels, hold a number that is not
 * finite, or have a column that is a combination of others; NOT_POSITIVE_DEFINITE if the Hessian is not
 * positive definite in float64.
 */
export function logisticPosterior(request: LogisticRequest): LogisticPosterior {
  checkObject('The request', request, '{ inputs, labels, priorPrecision: 1 }');
  const { inputs, priorPrecision } = request;
  const labels = checkLabels(request.labels);
  checkDesign(inputs, labels);
  checkNumber('priorPrecision', priorPrecision, 0);
  if (priorPrecision === 0) throw badArgument('priorPrecision', 0, 'a number above 0');
  const priorMean = request.priorMean ?? new Float64Array(inputs.columns);
  checkArray('priorMean', priorMean, 'Float64Array');
  if (priorMean.length !== inputs.columns)
    throw badArgument('priorMean.length', priorMean.length, String(inputs.columns));
  const at = priorMean.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw badArgument(`priorMean[${at}]`, priorMean[at], 'a finite number');
  const model = { inputs, labels, priorPrecision, priorMean };
  const mode = modeOf(model);
  const hessian = hessianOf(model, mode);
  const outcome = cholesky(hessian);
  if (!outcome.ok) throw indefinite(outcome.pivot);
  const { factor } = outcome;
  const laplaceSd = Float64Array.from(mode, (_, i) => {
    const unit = new Float64Array(mode.length);
    unit[i] = 1;
    return Math.sqrt(choleskySolve(factor, unit)[i]);
  });
  const atMode = checkSystem({ kind: 'dense', matrix: hessian }).spectrum;
  const gram = checkSystem({ kind: 'factored', factor: inputs, damping: 4 * priorPrecision }).spectrum;
  return {
    ...model,
    mode,
    hessianFactor: factor,
    laplaceSd,
    curvatureMin: Math.max(priorPrecision, atMode.eigenvalueMin),
    curvatureMax: gram.eigenvalueMax / 4,
  };
}

/** ln of the density at θ without its constant: Σ yz − ln(1 + eᶻ) − λ|θ − μ|²/2 with z = Xθ. */
export function logisticLogDensity(
  {
    inputs,
    labels,
    priorPrecision,
    priorMean,
  }: Pick<LogisticPosterior, 'inputs' | 'labels' | 'priorPrecision' | 'priorMean'>,
  theta: Float64Array,
): number {
  const z = matVec(inputs, theta);
  let sum = 0;
  for (let r = 0; r < z.length; r++) sum += labels[r] * z[r] - softplus(z[r]);
  for (let i = 0; i < theta.length; i++) sum -= (priorPrecision * (theta[i] - priorMean[i]) ** 2) / 2;
  return sum;
}

/** Gradient of `logisticLogDensity`: Xᵀ(y − σ(Xθ)) − λ(θ − μ). */
export function logisticGradient(
  {
    inputs,
    labels,
    priorPrecision,
    priorMean,
  }: Pick<LogisticPosterior, 'inputs' | 'labels' | 'priorPrecision' | 'priorMean'>,
  theta: Float64Array,
): Float64Array<ArrayBuffer> {
  const gradient = matVecTransposed(
    inputs,
    matVec(inputs, theta).map((z, r) => labels[r] - logistic(z)),
  );
  for (let i = 0; i < theta.length; i++) gradient[i] -= priorPrecision * (theta[i] - priorMean[i]);
  return gradient;
}

/** σ(z) = 1/(1 + e⁻ᶻ). */
export function logistic(z: number): number {
  return z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z));
}

/** ln(1 + eᶻ). */
function softplus(z: number): number {
  return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
}

type Model = Pick<LogisticPosterior, 'inputs' | 'labels' | 'priorPrecision' | 'priorMean'>;

function modeOf(model: Model): Float64Array {
  let theta = Float64Array.from(model.priorMean);
  let density = logisticLogDensity(model, theta);
  for (let step = 0; step < NEWTON_STEPS_MAX; step++) {
    const outcome = cholesky(hessianOf(model, theta));
    if (!outcome.ok) throw indefinite(outcome.pivot);
    const gradient = logisticGradient(model, theta);
    const direction = choleskySolve(outcome.factor, gradient);
    // Half of this product estimates how much ln of the density can still grow, in nat.
    if (dot(direction, gradient) < 1e-20 * Math.max(1, Math.abs(density))) break;
    let share = 1;
    let next = theta;
    for (; share > 1e-6; share /= 2) {
      next = theta.map((value, i) => value + share * direction[i]);
      if (logisticLogDensity(model, next) >= density) break;
    }
    density = logisticLogDensity(model, next);
    if (normInf(direction) * share <= 1e-13 * Math.max(1, normInf(next))) return next;
    theta = next;
  }
  return theta;
}

/** XᵀWX + λI with W = diag σ(1 − σ). */
function hessianOf({ inputs, priorPrecision }: Model, theta: Float64Array): Matrix {
  const { rows, columns, data } = inputs;
  const hessian = matrix(columns, columns);
  const z = matVec(inputs, theta);
  for (let r = 0; r < rows; r++) {
    const p = logistic(z[r]);
    const weight = p * (1 - p);
    for (let i = 0; i < columns; i++) {
      const value = weight * data[r * columns + i];
      for (let j = 0; j <= i; j++) hessian.data[i * columns + j] += value * data[r * columns + j];
    }
  }
  for (let i = 0; i < columns; i++) {
    hessian.data[i * columns + i] += priorPrecision;
    for (let j = 0; j < i; j++) hessian.data[j * columns + i] = hessian.data[i * columns + j];
  }
  return hessian;
}

function checkLabels(labels: ArrayLike<number>): Float64Array {
  if (typeof labels !== 'object' || labels === null || typeof labels.length !== 'number')
    throw badArgument('labels', labels, 'a list of 0 and 1');
  const list = Float64Array.from(labels);
  const at = list.findIndex((label) => label !== 0 && label !== 1);
  if (at >= 0) throw badArgument(`labels[${at}]`, list[at], '0 or 1');
  if (list.includes(0) && list.includes(1)) return list;
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `Not both classes occur among ${counted(list.length, 'label')}.`,
    {
      hint: 'A regression needs observations of both classes.',
      data: { count: list.length },
    },
  );
}

function indefinite(pivot: number): ThermolinkError {
  return new ThermolinkError(
    'NOT_POSITIVE_DEFINITE',
    'The Hessian of this posterior is not positive definite.',
    {
      hint: 'Standardise the columns, or give a prior with a larger precision.',
      data: { pivot },
    },
  );
}
