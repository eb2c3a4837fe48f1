import { describe, expect, test } from 'vitest';
import { relax } from '../../src/algorithms/relax.js';
import { matrix } from '../../src/linalg/matrix.js';
import { normInf, subtract } from '../../src/linalg/products.js';
import { solverBoard } from '../support/solver-board.js';

const address = { seed: 8, step: 0, block: 0 };

describe('a chain of eight springs between two walls, pulled at its end', () => {
  const cells = 8;
  const chain = matrix(
    cells,
    cells,
    Float64Array.from({ length: cells ** 2 }, (_, at) => {
      const apart = Math.abs((at % cells) - Math.floor(at / cells));
      return apart === 0 ? 2 : apart === 1 ? -1 : 0;
    }),
  );
  const drive = Float64Array.from({ length: cells }, (_, i) => (i === cells - 1 ? 1 : 0));
  const mode = (k: number, i: number) => Math.sin((k * (i + 1) * Math.PI) / (cells + 1));

  /** x_i(t) = Σ_k 2/(N+1) sin(kπ(i+1)/(N+1)) sin(kπN/(N+1)) (1 − e^(−μ_k t))/μ_k, μ_k = 4 sin²(kπ/2(N+1)). */
  const exact = (time: number) =>
    drive.map((_, i) => {
      let sum = 0;
      for (let k = 1; k <= cells; k++) {
        const eigenvalue = 4 * Math.sin((k * Math.PI) / 2 / (cells + 1)) ** 2;
        const excited = (2 / (cells + 1)) * mode(k, i) * mode(k, cells - 1);
        sum += (excited * (1 - Math.exp(-eigenvalue * time))) / eigenvalue;
      }
      return sum;
    });

  /** The largest error over the largest displacement. */
  const errorAt = async (time: number, change: { readonly couplingBits?: number }) => {
    const system = { kind: 'dense', matrix: chain } as const;
    const request = { system, drive, initial: new Float64Array(cells), time, address, ...change };
    const { x } = await relax(solverBoard('ideal-8'), request);
    return normInf(subtract(x, exact(time))) / normInf(exact(time));
  };

  // The condition number of the chain is 32, so codes of 8 bits change its slowest mode by several percent.
  test.each([8, 32, 64])(
    'is right to 0.25 %% at t = %i, and ten times better than in 8 bits',
    async (time) => {
      const error = await errorAt(time, {});
      expect(error).toBeLessThan(2.5e-3);
      expect(await errorAt(time, { couplingBits: 8 })).toBeGreaterThan(10 * error);
      expect(await errorAt(time, { couplingBits: 16 })).toBe(error);
    },
  );

  test('uses the couplings of a board that has only 8 bits', async () => {
    const system = { kind: 'dense', matrix: chain } as const;
    const board = solverBoard('spu-8');
    await relax(board, { system, drive, initial: new Float64Array(cells), time: 8, address });
    expect(board.programs[0].image.couplingBits).toBe(8);
  });
});
