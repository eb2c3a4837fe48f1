import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findProfile } from '../../../emulator/profiles/profiles.js';
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import { createExactSolver } from '../../../src/algorithms/truncated.js';
import type { Optimizer } from '../../../src/learning/optimizers/contract.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import { isingChain } from '../../../src/learning/quantum/variational-energy.js';
import type { StepFacts } from '../../../src/learning/record.js';
import { type TrainProblemRequest, trainProblem } from '../../../src/learning/train-problem.js';
import { thrown } from '../../cli/support/thrown.js';
import { factorOfNoise, P, request } from '../../support/optimizer-steps.js';
import { SolverBoard } from '../../support/solver-board.js';

const root = mkdtempSync(join(tmpdir(), 'thermolink-reload-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const problem = isingChain({ sites: 4, chains: 32 });
/** Bytes of the 8-bit couplings, and bytes of the drive and the initial state of a program. */
const COUPLINGS = problem.curvatureRows * problem.parameterCount;
const DRIVE = 4 * problem.parameterCount;

const onBoard = (reload?: number): Optimizer =>
  createOptimizer(
    'tngd',
    { ...{ rate: 0.05, ticks: 64 }, ...(reload === undefined ? {} : { reload }) },
    createAnalogSolver(new SolverBoard(findProfile('ideal-crossbar')!)),
  );

async function trained(optimizer: Optimizer, change: Partial<TrainProblemRequest> = {}) {
  const records: Omit<StepFacts, 'timing'>[] = [];
  const { parameters } = await trainProblem({
    ...{ problem, optimizer, steps: 7, seed: 4 },
    ...change,
    onStep: ({ timing, ...record }, total) => {
      records.push(record);
      change.onStep?.({ timing, ...record }, total);
    },
  });
  return { parameters, records };
}

describe('a curvature that serves several steps', () => {
  it('is sent in every R-th step; the other steps send only drives', async () => {
    const { records } = await trained(onBoard(3));
    for (const { step, uploadBytes } of records) {
      const rest = uploadBytes - (step % 3 === 0 ? COUPLINGS : 0);
      expect(rest).toBeGreaterThan(0);
      expect(rest % DRIVE).toBe(0);
      // The first step sends some further programs to find a scale.
      expect(rest / DRIVE).toBeLessThan(12);
    }
  });

  it('with R = 1 gives the bits of a training that sends it in every step', async () => {
    expect(await trained(onBoard(1))).toEqual(await trained(onBoard()));
  });

  it('gives the same bits and records when the training is resumed in between', {
    tags: 'long',
  }, async () => {
    const whole = await trained(onBoard(3));
    const output = { directory: join(root, 'broken'), checkpointEvery: 50 };
    const abort = new AbortController();
    const onStep: TrainProblemRequest['onStep'] = ({ step }) => {
      if (step === 3) abort.abort();
    };
    const stop = trained(onBoard(3), { output, signal: abort.signal, onStep });
    expect((await thrown(() => stop)).code).toBe('ABORTED');
    const resumed = await trained(onBoard(3), { output: { ...output, existing: 'resume' } });
    expect(resumed.parameters).toEqual(whole.parameters);
    expect(resumed.records).toEqual(whole.records.slice(4));
  });

  it('is the curvature of the step in which it was loaded', async () => {
    const optimizer = createOptimizer('tngd', { ticks: 1, reload: 2, clip: 1e9 }, createExactSolver());
    const first = await optimizer.update(optimizer.init(P), request());
    const { factor, ...later } = request({ step: 1, factor: factorOfNoise(9) });
    const kept = await optimizer.update(first.state, { ...later, factor: undefined });
    const plain = createOptimizer('tngd', { ticks: 1, clip: 1e9 }, createExactSolver());
    const expected = await plain.update(plain.init(P), request({ step: 1, factor: factorOfNoise(3) }));
    expect(kept.parameters).toEqual(expected.parameters);
    expect(optimizer.usesCurvatureAt?.(1)).toBe(false);
    expect(factor).toBeDefined();
  });
});
