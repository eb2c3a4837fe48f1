import { describe, expect, test } from 'vitest';
import { createIdealSampler } from '../../src/algorithms/ideal-sampler.js';
import { cholesky, choleskySolve } from '../../src/linalg/cholesky.js';
import { applySystem, type LinearSystem } from '../../src/linalg/linear-system.js';
import { matrix } from '../../src/linalg/matrix.js';
import { dot, formDense, normInf, subtract } from '../../src/linalg/products.js';
import { symmetricEigen } from '../../src/linalg/symmetric-eigen.js';
import { normalMatrix, normalVector, problemRandom } from '../support/solver-problems.js';

const address = { seed: 4, step: 0, block: 0 };
const random = problemRandom(41);
const cells = 6;
const factor = normalMatrix(random, 3, cells);
const damping = 0.4;
const factored: LinearSystem = { kind: 'factored', factor, damping };
const dense: LinearSystem = { kind: 'dense', matrix: formDense(factor, damping) };
const drive = normalVector(random, cells);
const initial = normalVector(random, cells);
const sampler = createIdealSampler();

/** A⁻¹ column by column, by Cholesky. The sampler itself does not invert A. */
function inverse(): number[][] {
  const outcome = cholesky(formDense(factor, damping));
  if (!outcome.ok) throw new Error('definite');
  return Array.from({ length: cells }, (_, j) => {
    const unit = new Float64Array(cells);
    unit[j] = 1;
    return Array.from(choleskySolve(outcome.factor, unit));
  });
}

describe('the mean path', () => {
  test('at t = 0 is x₀ bit for bit, so x₀ = gradient gives a plain step of gradient descent', async () => {
    const { x } = await createIdealSampler({ noiseTemperature: 1 }).relax({
      system: factored,
      drive,
      initial: drive,
      time: 0,
      address,
    });
    expect(x).toEqual(drive);
    expect(x).not.toBe(drive);
  });

  test.each([0.01, 0.3, 2, 30])(
    'is the same for a factor and for its dense matrix at t = %f',
    async (time) => {
      const answers = await Promise.all(
        [factored, dense].map((system) => sampler.relax({ system, drive, initial, time, address })),
      );
      expect(normInf(subtract(answers[0].x, answers[1].x))).toBeLessThan(1e-12);
    },
  );

  test('solves dx/dt = −(A x − b): by its Taylor series for a short time', async () => {
    const time = 1e-3;
    const { x } = await sampler.relax({ system: factored, drive, initial, time, address });
    const velocity = subtract(drive, applySystem(factored, initial));
    const jerk = applySystem(factored, velocity);
    for (let i = 0; i < cells; i++) {
      const taylor = initial[i] + time * velocity[i] - (time ** 2 / 2) * jerk[i];
      // The bound is the third term of the series, t³/6 ‖A‖² ‖velocity‖.
      expect(Math.abs(x[i] - taylor)).toBeLessThan((time ** 3 / 6) * 20 ** 2 * 30);
    }
  });

  test('composes: t₁ then t₂ is t₁ + t₂', async () => {
    const half = await sampler.relax({ system: factored, drive, initial, time: 0.4, address });
    const whole = await sampler.relax({ system: factored, drive, initial, time: 1, address });
    const rest = await sampler.relax({ system: factored, drive, initial: half.x, time: 0.6, address });
    expect(normInf(subtract(rest.x, whole.x))).toBeLessThan(1e-12);
  });

  test('without damping drifts linearly in the null space of the factor', async () => {
    const system = { kind: 'factored', factor: matrix(1, 2, Float64Array.of(1, 0)), damping: 0 } as const;
    const { x } = await sampler.relax({
      system,
      drive: Float64Array.of(0, 2),
      initial: Float64Array.of(0, 1),
      time: 3,
      address,
    });
    expect(x[1]).toBeCloseTo(7, 12);
  });

  test('never raises its quadratic loss', async () => {
    let last = Infinity;
    for (const time of [0, 0.05, 0.1, 0.3, 1, 3, 10, 100]) {
      const { x } = await sampler.relax({ system: factored, drive, initial, time, address });
      const loss = dot(x, applySystem(factored, x)) / 2 - dot(drive, x);
      expect(loss).toBeLessThan(last);
      last = loss;
    }
  });

  test('copes with a rank-deficient factor', async () => {
    const twice = matrix(6, cells, Float64Array.from([...factor.data, ...factor.data]));
    const half: LinearSystem = {
      kind: 'factored',
      factor: { ...twice, data: twice.data.map((value) => value / Math.SQRT2) },
      damping,
    };
    const [one, other] = await Promise.all(
      [factored, half].map((system) => sampler.relax({ system, drive, initial, time: 1, address })),
    );
    expect(normInf(subtract(one.x, other.x))).toBeLessThan(1e-12);
  });
});

describe('the fluctuations', () => {
  const noiseTemperature = 0.3;
  const draws = 4000;

  async function covariance(system: LinearSystem, time: number): Promise<number[][]> {
    const noisy = createIdealSampler({ noiseTemperature });
    const zero = new Float64Array(cells);
    const sum = Array.from({ length: cells }, () => new Array<number>(cells).fill(0));
    for (let step = 0; step < draws; step++) {
      const { x } = await noisy.relax({
        system,
        drive: zero,
        initial: zero,
        time,
        address: { ...address, step },
      });
      for (let i = 0; i < cells; i++) for (let j = 0; j < cells; j++) sum[i][j] += (x[i] * x[j]) / draws;
    }
    return sum;
  }

  /**
   * The limit is six standard errors of 21 entries, with Var Σ̂_ij = (Σ_ii Σ_jj + Σ_ij²)/draws. A variance of
   * 4,000 draws has a heavier tail than a normal number. With a random seed a correct sampler would fail with
   * a probability below 1e-6.
   */
  function expectCovariance(found: number[][], wanted: number[][]): void {
    for (let i = 0; i < cells; i++) {
      for (let j = 0; j <= i; j++) {
        const spread = Math.sqrt((wanted[i][i] * wanted[j][j] + wanted[i][j] ** 2) / draws);
        expect(Math.abs(found[i][j] - wanted[i][j])).toBeLessThan(6 * spread);
      }
    }
  }

  test.each([
    ['factored', factored],
    ['dense', dense],
  ] as const)('have covariance κA⁻¹ at equilibrium (%s)', async (_, system) => {
    const wanted = inverse().map((row) => row.map((value) => noiseTemperature * value));
    expectCovariance(await covariance(system, 100), wanted);
  });

  test('have covariance κA⁻¹(1 − e^(−2At)) on the way', async () => {
    const time = 0.35;
    const { values, vectors } = symmetricEigen(formDense(factor, damping));
    const wanted = Array.from({ length: cells }, (_, i) =>
      Array.from({ length: cells }, (_, j) => {
        let sum = 0;
        for (let k = 0; k < cells; k++) {
          const variance = (noiseTemperature * -Math.expm1(-2 * values[k] * time)) / values[k];
          sum += vectors.data[i * cells + k] * vectors.data[j * cells + k] * variance;
        }
        return sum;
      }),
    );
    expectCovariance(await covariance(factored, time), wanted);
  });

  /*
   * The test compares the mean square of 4,000·80 independent numbers with their variance. The standard
   * deviation is 0.25 %, so a correct sampler is wrong by more than 1 % once in 16,000 times.
   */
  test.each([0.35, 100])(
    'at t = %f have the variance κ(1 − e^(−2λt))/λ, right to a hundredth',
    async (time) => {
      const unknowns = 4000;
      const noisy = createIdealSampler({ noiseTemperature });
      const system = { kind: 'factored', factor: matrix(1, unknowns), damping } as const;
      const zero = new Float64Array(unknowns);
      let squares = 0;
      for (let step = 0; step < 80; step++) {
        const request = { system, drive: zero, initial: zero, time, address: { ...address, step } };
        const { x } = await noisy.relax(request);
        squares += dot(x, x) / (80 * unknowns);
      }
      const variance = (noiseTemperature * -Math.expm1(-2 * damping * time)) / damping;
      expect(Math.abs(squares / variance - 1)).toBeLessThan(0.01);
    },
  );

  test.each([0.35, 100])('at t = %f are the same for a factor and for its dense matrix', async (time) => {
    const noisy = createIdealSampler({ noiseTemperature });
    const answers = await Promise.all(
      [factored, dense].map((system) => noisy.relax({ system, drive, initial, time, address })),
    );
    expect(normInf(subtract(answers[0].x, answers[1].x))).toBeLessThan(1e-12);
  });

  test('depend on seed, step and block', async () => {
    const noisy = createIdealSampler({ noiseTemperature });
    const draw = async (change: object) =>
      (await noisy.relax({ system: factored, drive, initial, time: 1, address: { ...address, ...change } }))
        .x;
    const one = await draw({});
    expect(await draw({})).toEqual(one);
    for (const change of [{ seed: 5 }, { step: 1 }, { block: 1 }])
      expect(await draw(change)).not.toEqual(one);
  });

  test('average out, so that z of the mean has unit variance', async () => {
    const noisy = createIdealSampler({ noiseTemperature: 1e-4 });
    let sum = 0;
    const runs = 60;
    for (let step = 0; step < runs; step++) {
      const request = { system: factored, drive, tolerance: 0.05, address: { ...address, step } };
      const { x, standardError } = await noisy.solve(request);
      const exact = await sampler.solve({ ...request, tolerance: 1e-6 });
      for (let i = 0; i < cells; i++) sum += ((x[i] - exact.x[i]) / standardError[i]) ** 2;
    }
    // Of the six modes of a run, about three are independent. 180 independent values give the variance a
    // standard error of 0.11. The bound is five standard errors.
    expect(Math.abs(sum / (cells * runs) - 1)).toBeLessThan(0.55);
  });
});
