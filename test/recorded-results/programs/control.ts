/** Quadratic programs, policy gradients, predictive control. */
import path from 'node:path';
import {
  hostPolicyGradient,
  naturalPolicyGradient,
} from '../../../src/algorithms/control/policy-gradient.js';
import {
  exactPredictiveControl,
  predictiveControl,
} from '../../../src/algorithms/control/predictive-control.js';
import { rotaryPendulum } from '../../../src/algorithms/control/rotary-pendulum.js';
import { solveQp } from '../../../src/algorithms/qp/solve-qp.js';
import { readProgram } from '../../../src/files/read-program.js';
import { matrix } from '../../../src/linalg/matrix.js';
import type { QuadraticProgram } from '../../../src/linalg/quadratic-program.js';
import { ROOT } from '../../repository/files.js';
import { normalMatrix, normalVector, problemRandom } from '../../support/solver-problems.js';
import type { ProgramTable } from '../program.js';
import { ADDRESS, calibrationOf, ofSize, rowsOf } from './boards.js';

const QP_PROBLEMS = path.join(ROOT, 'test/algorithms/qp-problems');
const vector = (...values: number[]): Float64Array => Float64Array.from(values);

/** Two unknowns, an active bound, an equality, and a row without bounds. */
const PROGRAM: QuadraticProgram = {
  hessian: rowsOf([4, 1], [1, 2]),
  linear: vector(1, -3),
  constant: 0.5,
  constraints: rowsOf([1, 1], [1, 0], [0, 1], [1, -1]),
  lower: vector(0.5, 0, -1, -Infinity),
  upper: vector(0.5, 0.7, 0.9, Infinity),
};
/** A semidefinite Hessian, only inequalities, and units that differ by a factor of 1000. */
const UNEVEN: QuadraticProgram = {
  hessian: rowsOf([1e3, 0, 0], [0, 1, 0], [0, 0, 0]),
  linear: vector(-40, 2, 1e-3),
  constraints: rowsOf([1, 0, 1e-3], [0, 10, 1], [0, 0, 1e-2]),
  lower: vector(-1, -2, -0.05),
  upper: vector(0.02, 3, 4),
};
const PRIMAL_INFEASIBLE: QuadraticProgram = {
  ...PROGRAM,
  constraints: rowsOf([1, 1], [1, 1]),
  lower: vector(1, -Infinity),
  upper: vector(Infinity, -1),
};
const DUAL_INFEASIBLE: QuadraticProgram = {
  hessian: rowsOf([1, 0], [0, 0]),
  linear: vector(0.3, -1),
  constraints: rowsOf([1, 0], [0, 1]),
  lower: vector(-1, 0),
  upper: vector(1, Infinity),
};

/** One unstable state, one stable state, and one input. */
const PLANT = {
  stateMatrix: rowsOf([1.05, 0.2], [0, 0.7]),
  inputMatrix: rowsOf([0.1], [0.6]),
  stateCost: rowsOf([1, 0.1], [0.1, 0.5]),
  inputCost: rowsOf([0.3]),
  discount: 0.95,
};
const GAIN = rowsOf([0.6, 0.3]);
const policy = { plant: PLANT, initialGain: GAIN, rows: 24, iterationsMax: 4, address: ADDRESS };
const control = {
  plant: PLANT,
  initialState: vector(2, -1),
  inputMax: vector(0.8),
  horizon: 6,
  steps: 5,
  address: ADDRESS,
};

export const CONTROL_AND_PROGRAMS: ProgramTable = {
  'qp-solved': (lab) =>
    solveQp(lab.board('ideal-8'), PROGRAM, { address: ADDRESS, onProgress: lab.listener('progress') }),
  'qp-uneven': (lab) => solveQp(lab.board('ideal-8'), UNEVEN, { address: ADDRESS }),
  'qp-warm': async (lab) => {
    const board = lab.board('prototype-8');
    const { x, y } = await solveQp(board, PROGRAM, { address: ADDRESS, tolerance: 1e-4 });
    return solveQp(board, PROGRAM, { address: ADDRESS, warmStart: { x, y } });
  },
  'qp-calibrated': (lab) =>
    solveQp(lab.board('prototype-8'), PROGRAM, {
      address: ADDRESS,
      calibration: calibrationOf('prototype-8'),
    }),
  'qp-infeasible': async (lab) => [
    await solveQp(lab.board('ideal-8'), PRIMAL_INFEASIBLE, { address: ADDRESS }),
    await solveQp(lab.board('ideal-8'), DUAL_INFEASIBLE, { address: ADDRESS }),
  ],
  'qp-out-of-iterations': (lab) =>
    solveQp(lab.board('ideal-8'), UNEVEN, { address: ADDRESS, iterationsMax: 20, tolerance: 1e-10 }),
  'qp-published': async (lab) => {
    const answers: unknown[] = [];
    for (const name of ['HS21', 'HS35', 'HS51', 'HS76', 'QPTEST', 'TAME', 'ZECEVIC2', 'GENHS28'])
      answers.push(
        await solveQp(
          lab.board('ideal-8', ofSize(12)),
          await readProgram(path.join(QP_PROBLEMS, `${name}.SIF`)),
          {
            address: ADDRESS,
          },
        ),
      );
    return answers;
  },
  'qp-hard': async (lab) => {
    const random = problemRandom(860);
    const constraints = normalMatrix(random, 7, 5);
    const wide: QuadraticProgram = {
      hessian: matrix(5, 5),
      linear: normalVector(random, 5),
      constraints,
      lower: new Float64Array(7).fill(-1),
      upper: new Float64Array(7).fill(0.5),
    };
    const open: QuadraticProgram = {
      ...wide,
      upper: wide.upper.map((value, i) => (i < 6 ? Infinity : value)),
    };
    const far: QuadraticProgram = {
      ...PROGRAM,
      constraints: rowsOf([1, 1e-4], [1, -1e-4]),
      lower: vector(10, -Infinity),
      upper: vector(Infinity, -10),
    };
    const board = lab.board('prototype-8');
    return [
      await solveQp(board, wide, { address: ADDRESS }),
      await solveQp(board, open, { address: ADDRESS, iterationsMax: 300 }),
      await solveQp(board, far, { address: ADDRESS, iterationsMax: 300 }),
      await solveQp(board, wide, { address: ADDRESS, iterationsMax: 20, tolerance: 1e-10 }),
    ];
  },
  'qp-bad-input': async (lab) => {
    const board = lab.board('ideal-8');
    const refused = (change: Partial<QuadraticProgram>) =>
      lab.refused(() => solveQp(board, { ...PROGRAM, ...change }, { address: ADDRESS }));
    return [
      await refused({ lower: vector(1, 0, -1, 0) }),
      await refused({ linear: vector(1) }),
      await refused({ hessian: rowsOf([1, 2], [2, 1]) }),
      await refused({ hessian: rowsOf([1, 0.5], [0, 1]) }),
      await refused({ linear: vector(1, Number.NaN) }),
      await refused({ upper: vector(0.5, 0.7, 0.9) }),
      await lab.refused(() => solveQp(board, PROGRAM, { address: ADDRESS, tolerance: 1 })),
      await lab.refused(() => solveQp(board, PROGRAM, { address: ADDRESS, iterationsMax: 0 })),
      await lab.refused(() => solveQp(lab.board('ideal-8', ofSize(1)), PROGRAM, { address: ADDRESS })),
    ];
  },

  'policy-gradient': (lab) =>
    naturalPolicyGradient(lab.board('ideal-crossbar', ofSize(2, 24)), {
      ...policy,
      onProgress: lab.listener('progress'),
    }),
  'policy-gradient-calibrated': (lab) =>
    naturalPolicyGradient(lab.board('prototype-crossbar', ofSize(2, 24)), {
      ...policy,
      calibration: calibrationOf('prototype-crossbar', ofSize(2, 24)),
    }),
  'policy-gradient-host': async () => [
    await hostPolicyGradient('plain', policy),
    await hostPolicyGradient('diagonal', policy),
    await hostPolicyGradient('natural', { ...policy, decreaseMin: 1e-2, iterationsMax: 40 }),
  ],
  'policy-gradient-converges': async (lab) => {
    const { discount: _discount, ...plant } = PLANT;
    const long = { ...policy, plant, iterationsMax: 200, decreaseMin: 0, initialGain: rowsOf([1.2, 0.4]) };
    const { rows: _rows, ...without } = { ...policy, iterationsMax: 1 };
    return [
      await hostPolicyGradient('natural', long),
      await naturalPolicyGradient(lab.board('ideal-crossbar', ofSize(2, 1000)), without),
    ];
  },
  'policy-gradient-bad-input': async (lab) => {
    const board = lab.board('ideal-crossbar', ofSize(2, 24));
    return [
      await lab.refused(() => naturalPolicyGradient(board, { ...policy, initialGain: rowsOf([0, 0]) })),
      await lab.refused(() => naturalPolicyGradient(board, { ...policy, initialGain: rowsOf([0]) })),
      await lab.refused(() => naturalPolicyGradient(board, { ...policy, rows: 25 })),
      await lab.refused(() => naturalPolicyGradient(board, { ...policy, tolerance: 1 })),
      await lab.refused(() => naturalPolicyGradient(board, { ...policy, decreaseMin: -1 })),
      await lab.refused(() =>
        naturalPolicyGradient(board, { ...policy, plant: { ...PLANT, inputCost: rowsOf([-1]) } }),
      ),
      await lab.refused(() => naturalPolicyGradient(lab.board('ideal-8', { factored: false }), policy)),
      await lab.refused(() => naturalPolicyGradient(board, { ...policy, plant: { ...PLANT, discount: 0 } })),
      await lab.refused(() =>
        naturalPolicyGradient(board, { ...policy, plant: { ...PLANT, stateCost: rowsOf([1, 0], [0, -1]) } }),
      ),
      await lab.refused(() =>
        naturalPolicyGradient(board, { ...policy, address: { ...ADDRESS, block: 65536 } }),
      ),
    ];
  },
  'predictive-control': (lab) =>
    predictiveControl(lab.board('ideal-8'), { ...control, onProgress: lab.listener('progress') }),
  'predictive-control-calibrated': (lab) =>
    predictiveControl(lab.board('prototype-8'), { ...control, calibration: calibrationOf('prototype-8') }),
  'predictive-control-imperfect': (lab) =>
    predictiveControl(lab.board('prototype-8'), { ...control, tolerance: 1e-3 }),
  'predictive-control-host': async () => exactPredictiveControl(control),
  'predictive-control-bad-input': async (lab) => {
    const board = lab.board('ideal-8');
    return [
      await lab.refused(() => predictiveControl(board, { ...control, horizon: 9 })),
      await lab.refused(() => predictiveControl(board, { ...control, inputMax: vector(0) })),
      await lab.refused(() => predictiveControl(board, { ...control, initialState: vector(1) })),
      await lab.refused(() =>
        predictiveControl(board, { ...control, plant: { ...PLANT, inputMatrix: rowsOf([0], [0]) } }),
      ),
      await lab.refused(() =>
        predictiveControl(board, {
          ...control,
          plant: { ...PLANT, stateMatrix: rowsOf([2, 0.2], [0, 0.7]) },
          horizon: 8,
        }),
      ),
    ];
  },
  'rotary-pendulum': async () => [rotaryPendulum('up'), rotaryPendulum('down')],
};
