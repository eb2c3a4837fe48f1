/**
 * One small change of what the product computes, made on purpose. Tests must fail with it.
 */
export interface Mutant {
  readonly id: string;
  /**
   * `survivors`: it once passed the whole test suite, so tests were written against its kind. `fresh`:
   * written by somebody who had read the sources and not the tests.
   */
  readonly set: 'survivors' | 'fresh';
  /** From the root of the project. */
  readonly file: string;
  /** The text of that file that is replaced. It occurs there exactly once. */
  readonly find: string;
  readonly replacement: string;
  /** What is wrong with the numbers then, in one sentence. */
  readonly meaning: string;
  /** Files and folders, from the root, whose tests are to find it. */
  readonly tests: readonly string[];
}

export const MUTANTS: readonly Mutant[] = [
  {
    id: 'ideal-draws-hot',
    set: 'survivors',
    file: 'src/algorithms/ideal-sampler.ts',
    find: 'Math.sqrt(noiseTemperature * relaxedTime(2 * eigenvalue, time) * 2)',
    replacement: 'Math.sqrt(1.02 * noiseTemperature * relaxedTime(2 * eigenvalue, time) * 2)',
    meaning: 'Draws of the ideal sampler have a covariance that is 2 % too large.',
    tests: ['test/algorithms/ideal-sampler.test.ts'],
  },
  {
    id: 'board-draws-hot',
    set: 'survivors',
    file: 'src/algorithms/sample.ts',
    find: 'const applied = noiseTemperature * scale ** 2 * plan.systemScale;',
    replacement: 'const applied = (noiseTemperature * scale ** 2 * plan.systemScale) / 1.02;',
    meaning: 'Draws of an ideal board have a covariance that is 2 % too large.',
    tests: ['test/algorithms/draws.test.ts'],
  },
  {
    id: 'draws-planned-close',
    set: 'survivors',
    file: 'src/algorithms/sample.ts',
    find: 'Math.ceil((SPACING * plan.systemScale) / (tickOf(identity) * eigenvalueMin))',
    replacement: 'Math.ceil(plan.systemScale / (tickOf(identity) * eigenvalueMin))',
    meaning: 'Draws lie one time constant apart, and the correlation of three is reported.',
    tests: ['test/algorithms/draws.test.ts'],
  },
  {
    id: 'draws-read-close',
    set: 'survivors',
    file: 'src/algorithms/sample.ts',
    find: '      ticksPerSample: spacingTicks,',
    replacement: '      ticksPerSample: Math.ceil(spacingTicks / 3),',
    meaning: 'The plan says three time constants between draws, and the board run is read after each one.',
    tests: ['test/algorithms/draws.test.ts'],
  },
  {
    id: 'certificate-lenient',
    set: 'survivors',
    file: 'src/algorithms/acceptance.ts',
    find: 'const error = norm2(residual) / spectrum.eigenvalueMin',
    replacement: 'const error = norm2(residual) / (10 * spectrum.eigenvalueMin)',
    meaning: 'The certificate says a tenth of the error that the residual proves.',
    tests: ['test/algorithms/acceptance.test.ts'],
  },
  {
    id: 'unexplained-accepted',
    set: 'survivors',
    file: 'src/algorithms/solve/refinement.ts',
    find: 'return unexplained > noiseResidualBound(this.#plan, averaged)',
    replacement: 'return unexplained > 1e3 * noiseResidualBound(this.#plan, averaged)',
    meaning: 'A residual that neither noise nor rounding explains is accepted.',
    tests: ['test/algorithms/unexplained.test.ts'],
  },
  {
    id: 'bar-correlation-once',
    set: 'fresh',
    file: 'src/board/estimate.ts',
    find: 'time += 2 * correlation;',
    replacement: 'time += correlation;',
    meaning: 'Each autocorrelation counts once instead of twice, so error bars are a tenth too small.',
    tests: ['test/board/estimate.test.ts'],
  },
  {
    id: 'bar-student-dropped',
    set: 'fresh',
    file: 'src/board/estimate.ts',
    find: 'Math.sqrt(variance[i] / (effectiveSamples - 3))',
    replacement: 'Math.sqrt(variance[i] / effectiveSamples)',
    meaning: 'Error bars ignore that the variance is estimated too, and are 5 % too small.',
    tests: ['test/board/estimate.test.ts'],
  },
  {
    id: 'bar-wandering-dropped',
    set: 'fresh',
    file: 'src/algorithms/solve/corrections.ts',
    find: 'Math.sqrt(error * error + wandering)',
    replacement: 'Math.sqrt(error * error)',
    meaning: 'What wanders from one board run to the next is missing in the error bar.',
    tests: ['test/algorithms/solve-corrections.test.ts'],
  },
  {
    id: 'rounding-of-four-bars',
    set: 'fresh',
    file: 'src/algorithms/solve/corrections.ts',
    find: 'const ROUNDING_SHARE = 1 / 4;',
    replacement: 'const ROUNDING_SHARE = 4;',
    meaning: 'An answer may keep a known error of four times its error bar.',
    tests: ['test/algorithms/solve-corrections.test.ts'],
  },
  {
    id: 'inverse-weights-swapped',
    set: 'fresh',
    file: 'src/algorithms/invert.ts',
    find: 'variance === 0 ? 1 / 2 : varianceAbove / variance;',
    replacement: 'variance === 0 ? 1 / 2 : varianceBelow / variance;',
    meaning: 'The worse one of the two readings of an entry of the inverse gets the larger weight.',
    tests: ['test/algorithms/unlike-units.test.ts'],
  },
  {
    id: 'inverse-noise-reused',
    set: 'fresh',
    file: 'src/algorithms/invert.ts',
    find: 'session.readdress({ ...address, block: address.block + j });',
    replacement: 'session.readdress({ ...address, block: address.block });',
    meaning: 'All columns of an inverse have the same noise, and their errors are taken as independent.',
    tests: ['test/algorithms/invert.test.ts'],
  },
  {
    id: 'certificate-of-other-unknowns',
    set: 'fresh',
    file: 'src/algorithms/acceptance.ts',
    find: 'const norm = norm2(weighted(y, weights));',
    replacement: 'const norm = norm2(y);',
    meaning: "The certificate compares the error with the size of the board's unknowns, not of the user's.",
    tests: ['test/algorithms/acceptance.test.ts'],
  },
  {
    id: 'draws-without-burn-in',
    set: 'fresh',
    file: 'src/algorithms/sample.ts',
    find: 'BURN_IN_SPACINGS * spacingTicks :',
    replacement: 'BURN_IN_SPACINGS :',
    meaning: 'The burn-in before the first draw is four ticks instead of four spacings.',
    tests: ['test/algorithms/draws.test.ts'],
  },
  {
    id: 'draws-close-between-runs',
    set: 'fresh',
    file: 'src/algorithms/sample.ts',
    find: ' : spacingTicks,',
    replacement: ' : 1,',
    meaning: 'The first draw of every further board run lies one tick behind the last draw before it.',
    tests: ['test/algorithms/draws.test.ts'],
  },
  {
    id: 'row-gains-inverted',
    set: 'fresh',
    file: 'src/board/calibrated-couplings.ts',
    find: 'const factor = (rowGains?.[row] ?? 1) / systemScale;',
    replacement: 'const factor = 1 / (rowGains?.[row] ?? 1) / systemScale;',
    meaning:
      "Rows are divided by their cell's noise temperature, which doubles its effect on the covariance.",
    tests: ['test/board/calibrated-model.test.ts'],
  },
  {
    id: 'crosspoints-transposed',
    set: 'fresh',
    file: 'src/board/calibrated-couplings.ts',
    find: 'couplingErrors?.[row * board.cells + column]',
    replacement: 'couplingErrors?.[column * board.cells + row]',
    meaning: 'The calibration of crosspoint (j, i) is applied to crosspoint (i, j).',
    tests: ['test/board/calibrated-model.test.ts'],
  },
  {
    id: 'relaxation-ticks-down',
    set: 'fresh',
    file: 'src/board/scaling.ts',
    find: 'Math.ceil((time * scaleMin) / tick)',
    replacement: 'Math.floor((time * scaleMin) / tick)',
    meaning: 'The scale of a relaxation is rounded down, so that its largest couplings saturate.',
    tests: ['test/board/scaling.test.ts'],
  },
  {
    id: 'relaxation-retry-short',
    set: 'fresh',
    file: 'src/algorithms/relax.ts',
    find: 'ticks: growth * first.ticks,',
    replacement: 'ticks: first.ticks,',
    meaning: 'After a second overload a relaxation runs for half of its time, later for less.',
    tests: ['test/algorithms/relax.test.ts'],
  },
  {
    id: 'transfer-bend-sign',
    set: 'fresh',
    file: 'src/board/calibrated-model.ts',
    find: 'return straight - bend * (straight - bend * straight * straight) ** 2;',
    replacement: 'return straight + bend * (straight - bend * straight * straight) ** 2;',
    meaning: "A calibration doubles the bend of a board's converters instead of removing it.",
    tests: ['test/board/calibrated-model.test.ts'],
  },
  {
    id: 'diagonal-bar-incomplete',
    set: 'fresh',
    file: 'src/measure/coupling-error.ts',
    find: 'sourceOf(line) === cell ? mistaken : 0',
    replacement: '0',
    meaning: 'Error bars of diagonal crosspoints leave out the errors of drive gain and leakage.',
    tests: ['test/measure/characterize/coupling-bars.test.ts'],
  },
  {
    id: 'time-constant-with-leakage',
    set: 'fresh',
    file: 'src/measure/time-constant.ts',
    find: 'const gamma = (fast.rate - slow.rate) / range;',
    replacement: 'const gamma = fast.rate / all[1].damping;',
    meaning: "A cell's time constant comes from one damping, so that its leakage makes it look faster.",
    tests: ['test/measure/characterize/die-agreement.test.ts'],
  },
  {
    id: 'adam-square-uncorrected',
    set: 'fresh',
    file: 'src/learning/optimizers/adam.ts',
    find: 'const squareScale = 1 / (1 - beta2 ** updates);',
    replacement: 'const squareScale = 1;',
    meaning:
      "Adam's second moment is not corrected for starting at zero, so that the first steps are too long.",
    tests: ['test/learning/training/optimizers.test.ts'],
  },
  {
    id: 'rate-one-step-early',
    set: 'fresh',
    file: 'src/learning/optimizers/step.ts',
    find: 'return rate * (1 - ((1 - finalRate) * step) / totalSteps);',
    replacement: 'return rate * (1 - ((1 - finalRate) * (step + 1)) / totalSteps);',
    meaning: 'The rate falls one step too early, and the last step does nothing.',
    tests: ['test/learning/training/optimizers.test.ts'],
  },
  {
    id: 'delay-noise-reused',
    set: 'fresh',
    file: 'src/learning/optimizers/relaxation.ts',
    find: 'address: { seed, step, block: BLOCK.delay },',
    replacement: 'address: { seed, step, block: BLOCK.relaxation },',
    meaning: 'The relaxation during the delay has the noise of the one before it again.',
    tests: ['test/learning/training/tngd.test.ts'],
  },
  {
    id: 'checkpoint-numbers-lost',
    set: 'fresh',
    file: 'src/learning/checkpoint.ts',
    find: 'numbers: header.numbers },',
    replacement: 'numbers: Object.fromEntries(Object.keys(header.numbers).map((key) => [key, 0])) },',
    meaning: "A resumed training counts its optimizer's updates from zero again.",
    tests: ['test/learning/training/trainer.test.ts'],
  },
];
