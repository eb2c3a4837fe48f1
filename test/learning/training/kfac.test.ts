import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findProfile } from '../../../emulator/profiles/profiles.js';
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import type { InverseSolver } from '../../../src/algorithms/contract.js';
import { createExactSolver, createNoSolver } from '../../../src/algorithms/truncated.js';
import { layerCurvatures } from '../../../src/learning/curvature/layer-curvatures.js';
import { createMlp } from '../../../src/learning/network/mlp.js';
import type { StepRequest } from '../../../src/learning/optimizers/contract.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import type { OptimizerOptions } from '../../../src/learning/optimizers/registry.js';
import { isingChain } from '../../../src/learning/quantum/variational-energy.js';
import type { StepRecord } from '../../../src/learning/record.js';
import { trainProblem } from '../../../src/learning/train-problem.js';
import { type TrainRequest, train } from '../../../src/learning/trainer.js';
import { matrix } from '../../../src/linalg/matrix.js';
import { dot, gramOfColumns, norm2, subtract } from '../../../src/linalg/products.js';
import { directSolver } from '../../../src/linalg/woodbury.js';
import { thrown } from '../../cli/support/thrown.js';
import { barsDataset, noiseExamples } from '../../support/network-examples.js';
import { SolverBoard } from '../../support/solver-board.js';

const root = mkdtempSync(join(tmpdir(), 'thermolink-kfac-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const board = (): InverseSolver => createAnalogSolver(new SolverBoard(findProfile('ideal-256')!));
/** No clip and no momentum, so that a step is the rate times the direction. */
const plain: OptimizerOptions = { rate: 1, momentum: 0, klClip: 1e9, reload: 4 };

const network = createMlp({ inputCount: 6, hidden: [5], classes: 3 });
const examples = noiseExamples(16, 6, 3, 21);
const parameters = network.init(2);

/** A step's request for the network above. */
function request(overrides: Partial<StepRequest> = {}): StepRequest {
  const at = overrides.parameters ?? parameters;
  return {
    parameters: at,
    gradient: network.lossAndGradient(at, examples).gradient,
    factor: undefined,
    layers: {
      places: network.layers,
      curvatures: () => layerCurvatures(network.layers, network.perExampleFactors(at, examples)),
    },
    step: 0,
    totalSteps: 1000,
    seed: 5,
    ...overrides,
  };
}

async function stepOf(options: OptimizerOptions, solver: InverseSolver): Promise<Float64Array> {
  const optimizer = createOptimizer('kfac', { ...plain, ...options }, solver);
  const result = await optimizer.update(optimizer.init(network.parameterCount), request());
  return subtract(parameters, result.parameters);
}

/** The step by its definition: (B + √γ/π) ⊗ (A + π√γ) formed entry by entry and solved as one system. */
function stepByDefinition(damping: number): Float64Array {
  const step = new Float64Array(network.parameterCount);
  const { gradient, layers } = request();
  for (const [l, { inputs, outputs }] of layers!.curvatures().entries()) {
    const layer = layers!.places[l];
    const [n, m] = [layer.inputs + 1, layer.outputs];
    const [a, b] = [gramOfColumns(inputs).data, gramOfColumns(outputs).data];
    const trace = (data: Float64Array, size: number): number =>
      data.reduce((sum, value, i) => sum + (i % (size + 1) === 0 ? value : 0), 0);
    const pi = Math.sqrt(trace(a, n) / n / (trace(b, m) / m));
    const root = Math.sqrt(damping);
    const whole = matrix(n * m, n * m);
    const place = (index: number): number => {
      const [o, i] = [Math.floor(index / n), index % n];
      return i === layer.inputs ? layer.biasOffset + o : layer.weightOffset + o * layer.inputs + i;
    };
    for (let r = 0; r < n * m; r++)
      for (let c = 0; c < n * m; c++) {
        const [o, i, p, j] = [Math.floor(r / n), r % n, Math.floor(c / n), c % n];
        const left = b[o * m + p] + (o === p ? root / pi : 0);
        whole.data[r * n * m + c] = left * (a[i * n + j] + (i === j ? pi * root : 0));
      }
    const drive = Float64Array.from({ length: n * m }, (_, r) => (gradient as Float64Array)[place(r)]);
    const x = directSolver({ kind: 'dense', matrix: whole })!(drive);
    x.forEach((value, r) => {
      step[place(r)] = value;
    });
  }
  return step;
}

const off = (a: Float64Array, b: Float64Array): number => norm2(subtract(a, b)) / norm2(b);

describe('kfac', () => {
  it('steps along the solution with the damped Kronecker product', async () => {
    for (const damping of [1e-3, 0.1, 10])
      expect(off(await stepOf({ damping }, createExactSolver()), stepByDefinition(damping))).toBeLessThan(
        1e-9,
      );
  });

  it('is the gradient over the damping if the damping is large', async () => {
    const damping = 1e6;
    const step = await stepOf({ damping }, createExactSolver());
    const { gradient } = request();
    expect(
      off(
        step.map((x) => x * damping),
        gradient as Float64Array,
      ),
    ).toBeLessThan(2e-3);
  });

  it('on a board steps as on the host, to the tolerance of the inverse', async () => {
    const exact = stepByDefinition(0.1);
    for (const tolerance of [0.1, 1e-4]) {
      const found = await stepOf({ damping: 0.1, tolerance }, board());
      // Both inverses have errors up to the tolerance. The errors of 8-bit codes are smaller, because passes
      // correct them.
      expect(off(found, exact)).toBeLessThan(3 * tolerance);
    }
  });

  it('without a board uses the inverses of the diagonals', async () => {
    const { layers, gradient } = request();
    const step = await stepOf({ damping: 1e-9 }, createNoSolver());
    const { inputs, outputs } = layers!.curvatures()[1];
    const layer = layers!.places[1];
    const [a, b] = [gramOfColumns(inputs).data, gramOfColumns(outputs).data];
    for (let o = 0; o < layer.outputs; o++) {
      const i = layer.weightOffset + o * layer.inputs;
      const expected = (gradient as Float64Array)[i] / (a[0] * b[o * (layer.outputs + 1)]);
      expect(step[i] / expected).toBeCloseTo(1, 2);
    }
  });

  it('shortens a step so that η²∇ᵀx is the clip', async () => {
    const klClip = 1e-4;
    const free = await stepOf({}, createExactSolver());
    const clipped = await stepOf({ klClip }, createExactSolver());
    const { gradient } = request();
    const predicted = dot(gradient as Float64Array, free);
    expect(predicted).toBeGreaterThan(klClip);
    const share = norm2(clipped) / norm2(free);
    expect(share ** 2 * predicted).toBeCloseTo(klClip, 12);
  });

  it('inverts in steps 0 and R/10 and in every R-th, and sends 8-bit factors and little else', async () => {
    const inner = board();
    const sizes: number[] = [];
    const solver: InverseSolver = {
      name: 'counts',
      invert: (asked) => {
        sizes.push(asked.matrix.rows);
        return inner.invert(asked);
      },
    };
    const optimizer = createOptimizer('kfac', { ...plain, reload: 20, rate: 0.1 }, solver);
    let state = optimizer.init(network.parameterCount);
    let at: Float64Array = parameters;
    for (let step = 0; step < 25; step++) {
      const asked = request({ parameters: at, step });
      const result = await optimizer.update(state, asked);
      ({ state, parameters: at } = result);
      const loads = [0, 2, 20].includes(step);
      const couplings = [7, 5, 6, 3].reduce((sum, size) => sum + size * size, 0);
      const columns = 7 + 5 + 6 + 3;
      expect(sizes.splice(0)).toEqual(loads ? [7, 5, 6, 3] : []);
      if (!loads) expect(result.cost.uploadBytes).toBe(0);
      else {
        expect(result.cost.uploadBytes).toBeGreaterThan(couplings);
        // A drive for each column has few bytes. It is sent again if its scale is tried again.
        expect(result.cost.uploadBytes).toBeLessThan(couplings + 40 * columns);
      }
    }
  });

  it('refuses a problem that has no layers, and a board that is too small', async () => {
    const optimizer = createOptimizer('kfac', {}, createExactSolver());
    const problem = isingChain({ sites: 4, chains: 16 });
    const { code, message } = await thrown(() => trainProblem({ problem, optimizer, steps: 2, seed: 1 }));
    expect([code, message]).toEqual(['UNSUPPORTED', expect.stringContaining('by layers')]);
    const small = createOptimizer('kfac', {}, createAnalogSolver(new SolverBoard(findProfile('ideal-8')!)));
    const wide = createMlp({ inputCount: 64, hidden: [], classes: 3 });
    const asked = { network: wide, data: barsDataset(64, 8), optimizer: small, epochs: 1, batch: 8, seed: 1 };
    expect((await thrown(() => train(asked))).code).toBe('TOO_LARGE');
  });

  it('that is stopped and resumed has the bits of an uninterrupted training', { tags: 'long' }, async () => {
    const wide = createMlp({ inputCount: 64, hidden: [4], classes: 3 });
    const shared = { network: wide, data: barsDataset(128, 8), epochs: 1, batch: 16, seed: 3 };
    const run = async (change: Partial<TrainRequest>) => {
      const records: Omit<StepRecord, 'timing'>[] = [];
      const optimizer = createOptimizer('kfac', { reload: 5, rate: 0.3 }, board());
      const { parameters: end } = await train({
        ...{ ...shared, optimizer },
        ...change,
        onStep: ({ timing: _, ...record }, total) => {
          records.push(record);
          change.onStep?.({ timing: _, ...record }, total);
        },
      });
      return { end, records };
    };
    const whole = await run({});
    const output = { directory: join(root, 'broken'), checkpointEvery: 3 };
    const abort = new AbortController();
    const stop = run({
      ...{ output, signal: abort.signal },
      onStep: ({ step }) => step === 4 && abort.abort(),
    });
    expect((await thrown(() => stop)).code).toBe('ABORTED');
    const resumed = await run({ output: { ...output, existing: 'resume' } });
    expect(resumed.end).toEqual(whole.end);
    expect(resumed.records).toEqual(whole.records.slice(5));
    expect(whole.records.map(({ uploadBytes }) => uploadBytes > 0)).toEqual(
      whole.records.map(({ step }) => step % 5 === 0),
    );
  });
});
