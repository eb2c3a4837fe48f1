import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findProfile } from '../../../emulator/profiles/profiles.js';
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import { createExactSolver } from '../../../src/algorithms/truncated.js';
import type { Optimizer, StepRequest } from '../../../src/learning/optimizers/contract.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import type { OptimizerOptions } from '../../../src/learning/optimizers/registry.js';
import { isingChain } from '../../../src/learning/quantum/variational-energy.js';
import type { StepFacts } from '../../../src/learning/record.js';
import { type TrainProblemRequest, trainProblem } from '../../../src/learning/train-problem.js';
import { norm2, subtract } from '../../../src/linalg/products.js';
import { thrown } from '../../cli/support/thrown.js';
import { factorOfNoise, P, request } from '../../support/optimizer-steps.js';
import { SolverBoard } from '../../support/solver-board.js';

const root = mkdtempSync(join(tmpdir(), 'thermolink-mean-curvature-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const problem = isingChain({ sites: 4, chains: 32 });
const SIZE = problem.parameterCount;

const onBoard = (options: OptimizerOptions, profile = 'ideal-64'): Optimizer =>
  createOptimizer(
    'tngd',
    { rate: 0.05, ticks: 64, ...options },
    createAnalogSolver(new SolverBoard(findProfile(profile)!)),
  );

async function trained(optimizer: Optimizer, change: Partial<TrainProblemRequest> = {}) {
  const records: Omit<StepFacts, 'timing'>[] = [];
  const { parameters } = await trainProblem({
    ...{ problem, optimizer, steps: 7, seed: 4 },
    ...change,
    onStep: (record, total) => {
      const { timing: _, ...rest } = record;
      records.push(rest);
      change.onStep?.(record, total);
    },
  });
  return { parameters, records };
}

/** The direction of a step: parameters before minus parameters after it, at rate 1 and without a clip. */
async function direction(optimizer: Optimizer, asked: StepRequest): Promise<Float64Array> {
  const { parameters } = await optimizer.update(optimizer.init(P), asked);
  return subtract(asked.parameters, parameters);
}

const off = (a: Float64Array, b: Float64Array): number => norm2(subtract(a, b)) / norm2(b);

describe('a curvature that is averaged over batches', () => {
  const free = { rate: 1, finalRate: 1, clip: Infinity, damping: 0.05 };

  it('of one batch gives the direction of its factor, except for the rounding of codes', async () => {
    const settings = { ...free, ticks: 4096, runs: 3 };
    const exact = await direction(createOptimizer('ngd', free), request());
    const factored = await direction(onBoard(settings), request());
    const dense = await direction(onBoard({ ...settings, average: 0, reload: 1 }), request());
    expect(off(factored, exact)).toBeLessThan(1e-2);
    expect(off(dense, exact)).toBeLessThan(1e-3);
  });

  it('of several batches gives the steps of ngd if the solver is exact', async () => {
    const mean = { ...free, average: 0.7, reload: 2 };
    const digital = createOptimizer('ngd', mean);
    const solver = createOptimizer('tngd', { ...mean, ticks: 1, runs: 1 }, createExactSolver());
    const plain = createOptimizer('ngd', free);
    let [a, b] = [digital.init(P), solver.init(P)];
    let expected = new Float64Array(P * P);
    for (let step = 0; step < 6; step++) {
      expect(digital.usesCurvatureAt?.(step)).toBe(step % 2 === 0);
      expect(solver.usesCurvatureAt?.(step)).toBe(step % 2 === 0);
      const fresh = factorOfNoise(40 + step);
      const asked = { ...request({ step }), factor: step % 2 === 0 ? fresh : undefined };
      const [one, other] = [await digital.update(a, asked), await solver.update(b, asked)];
      [a, b] = [one.state, other.state];
      expect(off(one.parameters, other.parameters)).toBeLessThan(1e-9);
      if (step % 2 === 0) {
        // The n-th batch gets the weight 1/n, but never less than 0.3.
        const kept = Math.min(1 - 1 / (step / 2 + 1), 0.7);
        expected = expected.map((value, at) => {
          const [i, j] = [Math.floor(at / P), at % P];
          let product = 0;
          for (let r = 0; r < fresh.rows; r++) product += fresh.data[r * P + i] * fresh.data[r * P + j];
          return kept * value + (1 - kept) * product;
        });
        expect(off(a.arrays['curvature'], expected)).toBeLessThan(1e-12);
      }
      expect(b.arrays['curvature']).toEqual(a.arrays['curvature']);
    }
    expect(off(await direction(plain, request()), await direction(digital, request()))).toBeLessThan(1e-9);
  });

  it('is sent in 16 bits in every R-th step; the other steps send only drives', async () => {
    const { records } = await trained(onBoard({ average: 0.5, reload: 3 }));
    for (const { step, uploadBytes } of records) {
      const rest = uploadBytes - (step % 3 === 0 ? 2 * SIZE * SIZE : 0);
      expect(rest).toBeGreaterThan(0);
      expect(rest % (4 * SIZE)).toBe(0);
      // The first step sends some further programs to find a scale.
      expect(rest / (4 * SIZE)).toBeLessThan(12);
    }
  });

  it.each([
    ['tngd', () => onBoard({ average: 0.5, reload: 3 })],
    ['ngd', () => createOptimizer('ngd', { rate: 0.05, damping: 1e-2, average: 0.5, reload: 3 })],
  ])('gives the same bits and records when %s is resumed between two loads', async (name, optimizer) => {
    const whole = await trained(optimizer());
    const output = { directory: join(root, name), checkpointEvery: 50 };
    const abort = new AbortController();
    const onStep: TrainProblemRequest['onStep'] = ({ step }) => {
      if (step === 3) abort.abort();
    };
    const stop = trained(optimizer(), { output, signal: abort.signal, onStep });
    expect((await thrown(() => stop)).code).toBe('ABORTED');
    const resumed = await trained(optimizer(), { output: { ...output, existing: 'resume' } });
    expect(resumed.parameters).toEqual(whole.parameters);
    expect(resumed.records).toEqual(whole.records.slice(4));
  });

  it('is refused if a board has no dense couplings or too few cells; ngd refuses reload without average', async () => {
    const none = trained(onBoard({ average: 0.5 }, 'ideal-crossbar'));
    expect((await thrown(() => none)).code).toBe('UNSUPPORTED');
    const few = trained(onBoard({ average: 0.5 }, 'ideal-8'));
    expect((await thrown(() => few)).code).toBe('TOO_LARGE');
    const { code, hint } = await thrown(async () => createOptimizer('ngd', { reload: 3 }));
    expect([code, hint]).toEqual(['BAD_ARGUMENT', expect.stringContaining('`average`')]);
  });
});
