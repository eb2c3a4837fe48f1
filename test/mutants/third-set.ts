import type { Mutant } from './mutant.js';

/**
 * Twenty mutants by a third author, who had not read the tests. The quick tests that existed when the set was
 * written caught ten of them.
 */
export const THIRD_SET: readonly Mutant[] = [
  {
    id: 'settled-to-another-residual',
    set: 'third',
    file: 'src/algorithms/solve/settle-to.ts',
    find: 'relativeResidual = norm2(unweighted(residual, weights)) / norm;',
    replacement: 'relativeResidual = norm2(residual) / norm;',
    meaning:
      'A prepared system with unlike units settles until the residual of the scaled system is small. The result contains the scaled residual.',
    tests: ['test/algorithms/prepare.test.ts'],
  },
  {
    id: 'rounding-not-relative',
    set: 'third',
    file: 'src/algorithms/solve/refinement.ts',
    find: 'quantizationError: roundingErrorBound(this.#plan, averaged) / norm,',
    replacement: 'quantizationError: roundingErrorBound(this.#plan, averaged),',
    meaning:
      'A solve reports the rounding error in the unit of x, although the field is documented as a share of ‖x‖.',
    tests: ['test/algorithms/solve-limits.test.ts'],
  },
  {
    id: 'wandering-of-the-mean-alone',
    set: 'third',
    file: 'src/algorithms/solve/corrections.ts',
    find: 'wandering: (1 + 1 / CHECK_RUNS) * pooledVariance(readings, mean)',
    replacement: 'wandering: (1 / CHECK_RUNS) * pooledVariance(readings, mean)',
    meaning:
      'The readings of some boards wander from run to run. The error bar contains only the wandering of the check runs and lacks the wandering of the answer.',
    tests: ['test/algorithms/solve-corrections.test.ts'],
  },
  {
    id: 'lower-bounds-unchecked',
    set: 'third',
    file: 'src/algorithms/qp/kkt.ts',
    find: 'violation = Math.max(violation, lower[i] - image[i], image[i] - upper[i]);',
    replacement: 'violation = Math.max(violation, image[i] - upper[i]);',
    meaning:
      'The primal residual of a quadratic program is 0 even if its answer lies far below a lower bound.',
    tests: ['test/algorithms/qp.test.ts'],
  },
  {
    id: 'noise-of-the-loudest-cell',
    set: 'third',
    file: 'src/board/noise-register.ts',
    find: '{ amplitude: (noiseCodeMin + noiseCodeMax) / 2, shift }',
    replacement: '{ amplitude: noiseCodeMax, shift }',
    meaning:
      'On a board whose cells have unequal noise, draws are divided by the noise of the noisiest cell. The draws scatter too little.',
    tests: ['test/algorithms/board-facts.test.ts'],
  },
  {
    id: 'ideal-noise-forgets-slowly',
    set: 'third',
    file: 'src/algorithms/ideal-sampler.ts',
    find: 'Math.sqrt(noiseTemperature * relaxedTime(2 * eigenvalue, time) * 2)',
    replacement: 'Math.sqrt(noiseTemperature * relaxedTime(eigenvalue, time))',
    meaning:
      'Relaxations of the ideal sampler have the right variance at equilibrium. At short times the variance is down to half of the right one.',
    tests: ['test/algorithms/ideal-sampler.test.ts'],
  },
  {
    id: 'prepared-draws-uneven',
    set: 'third',
    file: 'src/algorithms/prepare.ts',
    find: 'this.#sampling ??= planSampling(session.identity, evened, calibration, dampingMax);',
    replacement: 'this.#sampling ??= this.#plainPlan(session);',
    meaning:
      "Draws of a prepared system on a calibrated board have the cells' unequal noise. The result still says that the covariance of the draws is known.",
    tests: ['test/algorithms/prepare.test.ts'],
  },
  {
    id: 'continued-noise-again',
    set: 'third',
    file: 'src/board/session.ts',
    find: 'this.#nextTick += report.ticksDone;',
    replacement: 'this.#nextTick = report.ticksDone;',
    meaning:
      'From the third part of a board run on, every part repeats the noise of the part before it, so draws repeat.',
    tests: ['test/algorithms/draws.test.ts'],
  },
  {
    id: 'noise-without-top-octave',
    set: 'third',
    file: 'src/board/noise-register.ts',
    find: 'shift >= range.noiseShiftMin; shift--',
    replacement: 'shift > range.noiseShiftMin; shift--',
    meaning:
      'A noise temperature in the highest octave of the register becomes the highest temperature, which is up to four times too high.',
    tests: ['test/board/noise-register.test.ts'],
  },
  {
    id: 'relaxation-drive-clamped',
    set: 'third',
    file: 'src/board/scaling.ts',
    find: 'const needed = Math.max(reached, initialMax, driveMax / driveMaxPerScale);',
    replacement: 'const needed = Math.max(reached, initialMax);',
    meaning: 'The drive of a short relaxation is clipped to the range of the DAC without a report.',
    tests: ['test/board/scaling.test.ts'],
  },
  {
    id: 'factor-damping-counted-twice',
    set: 'third',
    file: 'src/board/spectrum.ts',
    find: 'const eigenvalueMin = Math.max(found, floor);',
    replacement: 'const eigenvalueMin = found + floor;',
    meaning:
      'The smallest eigenvalue of a damped factor contains the damping twice. A certificate then shows as little as half of the error.',
    tests: ['test/board/spectrum.test.ts'],
  },
  {
    id: 'last-column-unmeasured',
    set: 'third',
    file: 'src/board/system-measure.ts',
    find: 'evenSquares + oddSquares + rest * rest]',
    replacement: 'evenSquares + oddSquares]',
    meaning:
      'The bound on the eigenvalues of a factor with an odd number of columns leaves out the last column. The mode of this column overshoots.',
    tests: ['test/board/scaling.test.ts'],
  },
  {
    id: 'noise-bar-of-the-amplitude',
    set: 'third',
    file: 'src/measure/noise-temperature.ts',
    find: 'const relativeError = Math.sqrt((2 / samples) * spread);',
    replacement: 'const relativeError = Math.sqrt(spread / (2 * samples));',
    meaning:
      'Noise temperatures get the relative error bars of their square roots, which are half of the right ones. The cells of an ideal board then seem to differ.',
    tests: ['test/measure/characterize/noise-bars.test.ts'],
  },
  {
    id: 'code-widths-with-counting-noise',
    set: 'third',
    file: 'src/measure/adc-histogram.ts',
    find: 'return all + (counts[code - first] / hoped - 1) ** 2 - 1 / hoped;',
    replacement: 'return all + (counts[code - first] / hoped - 1) ** 2;',
    meaning:
      'The codes of an ideal ADC seem to differ in width, because the variance that chance causes in their counts is not subtracted.',
    tests: ['test/measure/characterize/adc-histogram.test.ts'],
  },
  {
    id: 'profile-cells-upside-down',
    set: 'third',
    file: 'src/measure/profile-parts.ts',
    find: '(value) => (value > 0 ? UNIT_GAIN / value : Number.NaN)',
    replacement: '(value) => (value > 0 ? UNIT_GAIN * value : Number.NaN)',
    meaning: 'In the profile of a measured board the slow cells are fast, and the fast cells are slow.',
    tests: ['test/measure/extract/broken-gains.test.ts'],
  },
  {
    id: 'resumed-noise-from-the-start',
    set: 'third',
    file: 'src/measure/lab-board.ts',
    find: 'this.#runs = known.runs;',
    replacement: 'this.#runs = 0;',
    meaning:
      'A resumed measurement has other noise than an uninterrupted measurement, so the results of the two differ.',
    tests: ['test/measure/characterize/resume.test.ts'],
  },
  {
    id: 'one-order-for-all-epochs',
    set: 'third',
    file: 'src/learning/batches.ts',
    find: 'if (epoch !== orderEpoch) {',
    replacement: 'if (orderEpoch < 0) {',
    meaning:
      'All epochs have the batches of the first epoch. After a resume all epochs have the batches of the epoch in which the training was resumed.',
    tests: ['test/learning/training/batches.test.ts'],
  },
  {
    id: 'wolfe-conditions-weak',
    set: 'third',
    file: 'src/learning/optimizers/line-search.ts',
    find: 'Math.abs(point.slope) <= -SLOPE_SHARE * slope',
    replacement: '-point.slope <= -SLOPE_SHARE * slope',
    meaning:
      'A line search takes a step that climbs steeply on the far side of the valley. The strong Wolfe conditions forbid this.',
    tests: ['test/learning/pinn/quasi-newton.test.ts'],
  },
  {
    id: 'delay-of-no-effect',
    set: 'third',
    file: 'src/learning/optimizers/relaxation.ts',
    find: 'state: { arrays: { solution: delayed.x }, numbers }',
    replacement: 'state: { arrays: { solution: x }, numbers }',
    meaning: 'After a delay the next relaxation starts from the values that were read before the delay.',
    tests: ['test/learning/training/tngd.test.ts'],
  },
  {
    id: 'faces-of-half-the-cube',
    set: 'third',
    file: 'src/learning/pinn/points.ts',
    find: 'const face = Math.floor(2 * dimensions * random.uniform());',
    replacement: 'const face = Math.floor(dimensions * random.uniform());',
    meaning:
      'The boundary points of the Poisson problem lie on five of the ten faces. The other five faces have no boundary values.',
    tests: ['test/learning/pinn/points.test.ts'],
  },
];
