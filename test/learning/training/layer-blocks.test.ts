import { describe, expect, it } from 'vitest';
import { findProfile } from '../../../emulator/profiles/profiles.js';
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import { createMlp } from '../../../src/learning/network/mlp.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import { naturalGradient } from '../../../src/learning/optimizers/ngd.js';
import { isingChain } from '../../../src/learning/quantum/variational-energy.js';
import { trainProblem } from '../../../src/learning/train-problem.js';
import { train } from '../../../src/learning/trainer.js';
import { matrix } from '../../../src/linalg/matrix.js';
import { norm2, subtract } from '../../../src/linalg/products.js';
import { thrown } from '../../cli/support/thrown.js';
import { exactSolver } from '../../support/exact-solver.js';
import { barsDataset } from '../../support/network-examples.js';
import { factorOfNoise, M, P, request } from '../../support/optimizer-steps.js';
import { SolverBoard } from '../../support/solver-board.js';

const board = () => createAnalogSolver(new SolverBoard(findProfile('ideal-crossbar')!));
const shared = { data: barsDataset(64, 8), epochs: 1, batch: 16, curvatureExamples: 4, seed: 3 };

describe('tngd in blocks', () => {
  it('with one layer equals tngd without blocks, bit for bit', async () => {
    const network = createMlp({ inputCount: 64, hidden: [], classes: 3 });
    const trained = async (blocks: 'whole' | 'layers') =>
      (await train({ ...shared, network, optimizer: createOptimizer('tngd', { blocks }, board()) }))
        .parameters;
    expect(await trained('layers')).toEqual(await trained('whole'));
  });

  it('solves the blocks on the diagonal, each by itself', async () => {
    // Two layers of 4 × (2 + 1) and 6 × (2 + 1) parameters.
    const places = [
      { outputs: 4, inputs: 2, weightOffset: 0, biasOffset: 8 },
      { outputs: 6, inputs: 2, weightOffset: 12, biasOffset: 24 },
    ];
    const solver = exactSolver();
    const options = { time: 100, damping: 0.3, blocks: 'layers', rate: 1, clip: 1e9 } as const;
    const optimizer = createOptimizer('tngd', options, solver);
    const asked = request({ layers: { places, curvatures: () => [] } });
    const { parameters } = await optimizer.update(optimizer.init(P), asked);
    const x = subtract(asked.parameters, parameters);
    for (const [start, end] of [
      [0, 12],
      [12, 30],
    ]) {
      const factor = matrix(M, end - start);
      for (let r = 0; r < M; r++)
        factor.data.set(factorOfNoise(3).data.subarray(r * P + start, r * P + end), r * (end - start));
      const exact = naturalGradient(factor, 0.3, asked.gradient.slice(start, end));
      expect(norm2(subtract(x.slice(start, end), exact))).toBeLessThan(1e-9);
    }
    expect(solver.calls.map(({ address }) => address.block)).toEqual([0, 2]);
  });

  it('trains a network of two layers on a board', async () => {
    const network = createMlp({ inputCount: 64, hidden: [3], classes: 3 });
    const optimizer = createOptimizer('tngd', { blocks: 'layers' }, board());
    const { summary } = await train({ ...shared, network, optimizer });
    expect(summary.uploadBytes).toBeGreaterThan(0);
    expect(summary.settings['optimizer']).toMatchObject({ blocks: 'layers' });
  });

  it('refuses a problem without layers, and an unknown kind of blocks', async () => {
    const problem = isingChain({ sites: 4, chains: 16 });
    const optimizer = createOptimizer('tngd', { blocks: 'layers' }, exactSolver());
    expect((await thrown(() => trainProblem({ problem, optimizer, steps: 1, seed: 1 }))).code).toBe(
      'UNSUPPORTED',
    );
    const blocks = 'rows' as never;
    expect((await thrown(async () => createOptimizer('tngd', { blocks }, exactSolver()))).code).toBe(
      'BAD_ARGUMENT',
    );
  });
});
