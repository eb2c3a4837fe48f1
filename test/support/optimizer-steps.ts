import type { Optimizer, StepRequest } from '../../src/learning/optimizers/contract.js';
import { type Matrix, matrix } from '../../src/linalg/matrix.js';
import { norm2 } from '../../src/linalg/products.js';
import { noiseVector } from './network-examples.js';

/** Numbers of parameters and of rows of the curvature factor, in the small problems for optimizers. */
export const P = 30;
export const M = 8;

export function factorOfNoise(seed: number): Matrix {
  return matrix(M, P, noiseVector(M * P, seed, 0.5));
}

export function request<Overrides extends Partial<StepRequest> = object>(
  overrides: Overrides = {} as Overrides,
) {
  return {
    parameters: noiseVector(P, 1),
    gradient: noiseVector(P, 2),
    factor: factorOfNoise(3),
    step: 0,
    totalSteps: 10,
    seed: 7,
    ...overrides,
  };
}

/** Runs some steps with changing gradients and curvature; returns the parameters after each. */
export async function trajectory(optimizer: Optimizer, steps: number): Promise<Float64Array[]> {
  let state = optimizer.init(P);
  let parameters: Float64Array = noiseVector(P, 1);
  const all: Float64Array[] = [];
  for (let step = 0; step < steps; step++) {
    const result = await optimizer.update(
      state,
      request({ parameters, step, gradient: noiseVector(P, 20 + step), factor: factorOfNoise(40 + step) }),
    );
    ({ parameters, state } = result);
    all.push(parameters);
  }
  return all;
}

/** ‖a − b‖₂ */
export const difference = (a: Float64Array, b: Float64Array): number =>
  norm2(a.map((value, i) => value - b[i]));
