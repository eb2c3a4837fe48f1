import type { RelaxationSolver, RelaxRequest } from '../../src/algorithms/contract.js';
import { checkSystem } from '../../src/board/checked-system.js';
import { ZERO_COST } from '../../src/board/cost.js';
import { gramOfRows, matVec, matVecTransposed } from '../../src/linalg/products.js';
import { symmetricEigen } from '../../src/linalg/symmetric-eigen.js';

/** (1 − e^(−αt))/α, and its limit t at α = 0. */
function gain(rate: number, time: number): number {
  return rate === 0 ? time : -Math.expm1(-rate * time) / rate;
}

/**
 * Noise-free relaxation in float64 for tests of the optimizers. A mode of KᵀK with the eigenvalue s decays as
 * e^(−(s+λ)t), and the part that is orthogonal to the rows of K decays as e^(−λt). The solver keeps the
 * requests of its calls. It reports as many repeated board runs as `overloadRetries` says, though it has no
 * board.
 */
export function exactSolver(
  overloadRetries: (step: number) => number = () => 0,
): RelaxationSolver & { calls: RelaxRequest[] } {
  const calls: RelaxRequest[] = [];
  return {
    name: 'exact relaxation',
    calls,
    relax: async (request) => {
      calls.push(request);
      const { initial, time, address } = request;
      const drive = typeof request.drive === 'function' ? await request.drive() : request.drive;
      const { system } = checkSystem(request.system);
      if (system.kind !== 'factored') throw new Error('only factored systems');
      const { factor, damping } = system;
      const { values, vectors } = symmetricEigen(gramOfRows(factor));
      const kInitial = matVec(factor, initial);
      const kDrive = matVec(factor, drive);
      const m = factor.rows;
      const dual = new Float64Array(m);
      const largest = values[m - 1];
      for (let k = 0; k < m; k++) {
        const s = values[k];
        if (s <= 1e-12 * largest) continue;
        let ofInitial = 0;
        let ofDrive = 0;
        for (let i = 0; i < m; i++) {
          ofInitial += vectors.data[i * m + k] * kInitial[i];
          ofDrive += vectors.data[i * m + k] * kDrive[i];
        }
        const coefficient =
          ((Math.exp(-(s + damping) * time) - Math.exp(-damping * time)) * ofInitial +
            (gain(s + damping, time) - gain(damping, time)) * ofDrive) /
          s;
        for (let i = 0; i < m; i++) dual[i] += vectors.data[i * m + k] * coefficient;
      }
      const correction = matVecTransposed(factor, dual);
      const decay = Math.exp(-damping * time);
      const rest = gain(damping, time);
      return {
        x: initial.map((value, i) => decay * value + rest * drive[i] + correction[i]),
        cost: { ...ZERO_COST, ticks: 1, uploadBytes: 100, overloadRetries: overloadRetries(address.step) },
      };
    },
  };
}
