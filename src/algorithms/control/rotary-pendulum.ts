import { type Matrix, matrix } from '../../linalg/matrix.js';
import { product } from '../../linalg/matrix-equations.js';
import type { LinearPlant } from './plant.js';

/** Data of Quanser's QUBE-Servo 2 from its user manual, in SI units. */
const PENDULUM_MASS = 0.024;
const ARM_MASS = 0.095;
const ARM_FRICTION = 0.0005;
const PENDULUM_FRICTION = 0.0001;
const PENDULUM_LENGTH = 0.129;
const ARM_LENGTH = 0.085;
const GRAVITY = 9.81;
const MOTOR_CONSTANT = 0.042;
const MOTOR_RESISTANCE = 8.4;
/** Seconds between two inputs. */
const PERIOD = 0.01;
const DISCOUNT = 0.99;
/** Number of terms of the series of e^X. For ‖X‖ ≤ 3 the rest is below the resolution of float64. */
const EXPONENTIAL_TERMS = 40;

/**
 * The rotary pendulum, linearised about its upright or hanging position and sampled each 10 ms. The input is
 * held between samples. States: angle of the arm, angle of the pendulum, their rates (rad, rad/s); input:
 * volts at the motor. Q = I, R = 1, γ = 0.99.
 *
 * Source: Quanser, QUBE-Servo 2, state-space model.
 */
export function rotaryPendulum(position: 'up' | 'down'): LinearPlant {
  const side = position === 'up' ? 1 : -1;
  const half = PENDULUM_LENGTH / 2;
  const armInertia = (ARM_MASS * ARM_LENGTH ** 2) / 12 + PENDULUM_MASS * ARM_LENGTH ** 2;
  const pendulumInertia = (PENDULUM_MASS * PENDULUM_LENGTH ** 2) / 12 + PENDULUM_MASS * half ** 2;
  const coupling = PENDULUM_MASS * half * ARM_LENGTH;
  const total = armInertia * pendulumInertia - coupling ** 2;
  const torque = MOTOR_CONSTANT / MOTOR_RESISTANCE;
  const drag = ARM_FRICTION + MOTOR_CONSTANT * torque;
  const weight = PENDULUM_MASS * GRAVITY * half;
  const rates = [
    [0, 0, 1, 0, 0],
    [0, 0, 0, 1, 0],
    [
      0,
      (weight * coupling) / total,
      (-drag * pendulumInertia) / total,
      (-side * PENDULUM_FRICTION * coupling) / total,
      (torque * pendulumInertia) / total,
    ],
    [
      0,
      (side * weight * armInertia) / total,
      (-side * drag * coupling) / total,
      (-PENDULUM_FRICTION * armInertia) / total,
      (side * torque * coupling) / total,
    ],
    [0, 0, 0, 0, 0],
  ];
  const held = exponential(
    matrix(
      5,
      5,
      Float64Array.from(rates.flat(), (rate) => rate * PERIOD),
    ),
  );
  const part = (columns: readonly number[]): Float64Array =>
    Float64Array.from([0, 1, 2, 3].flatMap((i) => columns.map((j) => held.data[5 * i + j])));
  return {
    stateMatrix: matrix(4, 4, part([0, 1, 2, 3])),
    inputMatrix: matrix(4, 1, part([4])),
    stateCost: identityMatrix(4),
    inputCost: identityMatrix(1),
    discount: DISCOUNT,
  };
}

/** I, N×N. */
export function identityMatrix(n: number): Matrix {
  const out = matrix(n, n);
  for (let i = 0; i < n; i++) out.data[i * n + i] = 1;
  return out;
}

/** e^X by its series. */
function exponential(x: Matrix): Matrix {
  let term = identityMatrix(x.rows);
  const sum = identityMatrix(x.rows);
  for (let k = 1; k <= EXPONENTIAL_TERMS; k++) {
    const next = product(term, x);
    for (let i = 0; i < next.data.length; i++) {
      next.data[i] /= k;
      sum.data[i] += next.data[i];
    }
    term = next;
  }
  return sum;
}
