import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import { connect } from '../../../src/connect.js';
import type { Device } from '../../../src/driver/device.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import type { OptimizerName } from '../../../src/learning/optimizers/registry.js';
import { heatPinn } from '../../../src/learning/pinn/pinn-problem.js';
import { type TrainProblemRequest, trainProblem } from '../../../src/learning/train-problem.js';

const directory = mkdtempSync(join(tmpdir(), 'thermolink-pinn-'));
let device: Device;
beforeAll(async () => {
  device = await connect('emulator:ideal-crossbar');
});
afterAll(async () => {
  await device.close();
  rmSync(directory, { recursive: true });
});

const STEPS = 6;
const METHODS: readonly OptimizerName[] = ['lm', 'lbfgs', 'bfgs', 'adam'];

/** A small training; `signal` ends it early. */
function request(name: OptimizerName, more: Partial<TrainProblemRequest>): TrainProblemRequest {
  const options = name === 'lm' ? { rank: 4, ticks: 128 } : {};
  return {
    problem: heatPinn({ hidden: [8] }),
    optimizer: createOptimizer(name, options, name === 'lm' ? createAnalogSolver(device) : undefined),
    steps: STEPS,
    seed: 4,
    ...more,
  };
}

describe.each(METHODS)('a physics-informed training with %s', (name) => {
  // The method with a board needs most of the time.
  const options = name === 'lm' ? { tags: 'long' } : {};
  it('that is stopped and resumed ends with the same bits', options, async () => {
    const whole = await trainProblem(request(name, {}));
    const output = { directory: join(directory, name) };
    const stop = new AbortController();
    const stopped = trainProblem(
      request(name, {
        output,
        signal: stop.signal,
        onStep: ({ step }) => {
          if (step === 2) stop.abort();
        },
      }),
    );
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' });
    const resumed = await trainProblem(request(name, { output: { ...output, existing: 'resume' } }));
    expect(resumed.parameters).toEqual(whole.parameters);
  });
});
