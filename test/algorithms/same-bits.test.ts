import { describe, expect, it } from 'vitest';
import type { LinearPlant } from '../../src/algorithms/control/plant.js';
import { naturalPolicyGradient } from '../../src/algorithms/control/policy-gradient.js';
import { predictiveControl } from '../../src/algorithms/control/predictive-control.js';
import { invert } from '../../src/algorithms/invert.js';
import { logDeterminant } from '../../src/algorithms/logdet/log-determinant.js';
import { solveLyapunov } from '../../src/algorithms/lyapunov/solve-lyapunov.js';
import { drawPosterior, posteriorMoments } from '../../src/algorithms/posterior/chain.js';
import { drawLogistic } from '../../src/algorithms/posterior/draw-logistic.js';
import { regressionPosterior } from '../../src/algorithms/posterior/gaussian.js';
import { drawLaplace, laplacePosterior } from '../../src/algorithms/posterior/laplace.js';
import { logisticPosterior } from '../../src/algorithms/posterior/logistic.js';
import { prepare } from '../../src/algorithms/prepare.js';
import { solveQp } from '../../src/algorithms/qp/solve-qp.js';
import { sampleMoments } from '../../src/algorithms/sample-moments.js';
import { solve } from '../../src/algorithms/solve/solve.js';
import { connect } from '../../src/connect.js';
import { Device } from '../../src/driver/device.js';
import type { BoardDevice } from '../../src/driver/device-api.js';
import { matrix } from '../../src/linalg/matrix.js';
import { DEVICES } from '../device-contract/devices.js';

const address = { seed: 15, step: 0, block: 0 };
const symmetric = { kind: 'dense', matrix: matrix(2, 2, Float64Array.of(4, 1, 1, 3)) } as const;

const cart: LinearPlant = {
  stateMatrix: matrix(2, 2, Float64Array.of(1, 0.1, 0, 1)),
  inputMatrix: matrix(2, 1, Float64Array.of(0, 0.1)),
  stateCost: matrix(2, 2, Float64Array.of(1, 0, 0, 1)),
  inputCost: matrix(1, 1, Float64Array.of(1)),
};
/** min ½xᵀPx + qᵀx, 0 ≤ x ≤ 1. */
const bounded = {
  hessian: symmetric.matrix,
  linear: Float64Array.of(-3, 1),
  constraints: matrix(2, 2, Float64Array.of(1, 0, 0, 1)),
  lower: new Float64Array(2),
  upper: Float64Array.of(1, 1),
};
const skew = matrix(2, 2, Float64Array.of(2, -1, 0.5, 1));

const observed = {
  inputs: matrix(5, 2, Float64Array.of(1, -1, 1, 0.5, 1, 0, 1, 2, 1, -0.5)),
  targets: Float64Array.of(1, 2, 2, 4, 1),
  noiseSd: 0.5,
  priorPrecision: 1,
};

/** Each result depends on noise, except that of quadratic programs, which need no noise. */
const ALGORITHMS: readonly (readonly [name: string, run: (board: BoardDevice) => Promise<unknown>])[] = [
  [
    'logDeterminant',
    async (board) => {
      const { cost: _, ...found } = await logDeterminant(board, {
        system: symmetric,
        readings: 600,
        address,
      });
      return found;
    },
  ],
  [
    'solveLyapunov',
    async (board) => {
      const request = { matrix: skew, rhs: symmetric.matrix, readings: 1536, address };
      const { cost: _, ...found } = await solveLyapunov(board, request);
      return found;
    },
  ],
  ...(['solve', 'invert', 'sampleMoments'] as const).map(
    (name) =>
      [
        name,
        async (board: BoardDevice) => {
          const tolerance = 0.02;
          const { cost: _, ...found } =
            name === 'solve'
              ? await solve(board, { system: symmetric, drive: bounded.linear, tolerance, address })
              : name === 'invert'
                ? await invert(board, { system: symmetric, tolerance, address })
                : await sampleMoments(board, { precision: symmetric, count: 128, address });
          return found;
        },
      ] as const,
  ),
  [
    // K-FAC inverts its factors in this way.
    'an inverse of a prepared system',
    async (board) => {
      const prepared = prepare(board, { system: symmetric });
      const { cost: _, ...found } = await prepared.invert({ tolerance: 0.1, address });
      return found;
    },
  ],
  [
    'posteriorMoments',
    async (board) => {
      const request = { posterior: regressionPosterior(observed), draws: 128, address };
      const { cost: _, ...found } = await posteriorMoments(board, request);
      return found;
    },
  ],
  [
    'drawPosterior',
    async (board) => {
      const { cost: _, ...found } = await drawPosterior(board, {
        posterior: regressionPosterior(observed),
        draws: 40,
        address,
      });
      return found;
    },
  ],
  [
    'drawLogistic',
    async (board) => {
      const posterior = logisticPosterior({ ...observed, labels: [0, 1, 0, 1, 1] });
      const { cost: _, ...found } = await drawLogistic(board, { posterior, draws: 40, address });
      return found;
    },
  ],
  [
    'drawLaplace',
    async (board) => {
      const layer = {
        weights: skew,
        features: observed.inputs,
        probabilities: matrix(5, 2, new Float64Array(10).fill(0.5)),
      };
      const request = { posterior: laplacePosterior(layer, 1), networks: 10, address };
      const { cost: _, ...found } = await drawLaplace(board, request);
      return found;
    },
  ],
  [
    'naturalPolicyGradient',
    async (board) => {
      const initialGain = matrix(1, 2, Float64Array.of(4, 4));
      const request = { plant: cart, initialGain, rows: 8, iterationsMax: 2, address };
      const { cost: _, ...found } = await naturalPolicyGradient(board, request);
      return found;
    },
  ],
  ...(['box', 'admm', 'ipm'] as const).map(
    (method) =>
      [
        `solveQp by ${method}`,
        async (board: BoardDevice) => {
          const { cost: _, ...found } = await solveQp(board, bounded, { method, address });
          return found;
        },
      ] as const,
  ),
  [
    'predictiveControl',
    async (board) => {
      const bounds = { initialState: Float64Array.of(1, 0), inputMax: Float64Array.of(0.5) };
      const request = { plant: cart, ...bounds, horizon: 8, steps: 4, address };
      const { cost: _, ...found } = await predictiveControl(board, request);
      return found;
    },
  ],
];

async function inMemory(run: (board: BoardDevice) => Promise<unknown>): Promise<unknown> {
  const device = await connect('emulator:ideal-8');
  try {
    return await run(device);
  } finally {
    await device.close();
  }
}

const exact = DEVICES.filter(({ profile, missing }) => profile === 'ideal-8' && missing() === undefined);

describe.each(exact.map((device, at) => ({ ...device, at })))(
  '$name gives the bits of a board in memory:',
  ({ start, at }) => {
    // Every device and every algorithm has a quick test. The long tests have all pairs.
    const isQuick = ([name]: (typeof ALGORITHMS)[number]): boolean =>
      ALGORITHMS.findIndex(([other]) => other === name) % exact.length === at % ALGORITHMS.length;
    it.each(ALGORITHMS.filter(isQuick))('%s', expectSameBits);
    it.each(ALGORITHMS.filter((one) => !isQuick(one)))('%s', { tags: 'long' }, expectSameBits);

    async function expectSameBits(_: string, run: (board: BoardDevice) => Promise<unknown>): Promise<void> {
      const expected = await inMemory(run);
      const board = await start();
      try {
        const device = await Device.open(await board.open());
        const found = await run(device);
        await device.close();
        expect(found).toEqual(expected);
      } finally {
        await board.end();
      }
    }
  },
);
