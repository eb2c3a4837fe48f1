import type { Mutant } from './mutant.js';

/**
 * Twenty mutants by a fourth author, who had not read the tests: four for each part of the program. The tests
 * of that time caught 18 of them: recorded results 14, laws three, and a law of the long set one.
 */
export const FOURTH_SET: readonly Mutant[] = [
  {
    id: 'combined-answer-drops-wandering',
    set: 'fourth',
    file: 'src/algorithms/solve/combined-refinement.ts',
    find: 'return { averaged: { ...averaged, standardError }, noise: subtract(averaged.x, mean) };',
    replacement: 'return { averaged, noise: subtract(averaged.x, mean) };',
    meaning:
      'A solve of condition above 6000 (damped plan) on a board that drifts or flickers, such as harsh-64: `standardError` (and the acceptance) lacks the variance between board runs that the plain refinement adds, so ± is too small; x is the same.',
    tests: ['test/algorithms/solve-corrections.test.ts'],
  },
  {
    id: 'logdet-settings-share-one-seed',
    set: 'fourth',
    file: 'src/algorithms/logdet/log-determinant.ts',
    find: 'session.readdress({ ...address, block: address.block + k });',
    replacement: 'session.readdress({ ...address, block: address.block });',
    meaning:
      'Any log determinant: all settings of the damping register run with the same run seed instead of block + k, so their noise is alike, the errors of the traces add up instead of averaging out, and both error bars are too small.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'closed-loop-end-cost-undiscounted',
    set: 'fourth',
    file: 'src/algorithms/control/predictive-control.ts',
    find: 'closedLoopCost += discount ** steps * dot(x, matVec(endCost, x));',
    replacement: 'closedLoopCost += dot(x, matVec(endCost, x));',
    meaning:
      'predictiveControl (and exactPredictiveControl alike) of a discounted plant such as rotaryPendulum, γ = 0.99, over few steps, e.g. 20: `closedLoopCost` counts what is left at the end in full instead of times γ^steps, about 20 % of that part too much.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'lyapunov-second-stage-timed-by-first-plan',
    set: 'fourth',
    file: 'src/algorithms/lyapunov/solve-lyapunov.ts',
    find: 'readStationary(session, corrected, run(corrected, 1))',
    replacement: 'readStationary(session, corrected, run(plan, 1))',
    meaning:
      'Any Lyapunov equation: the second stage has a finer tick (1.1 times, and 2, 4 … times where the step had to be halved), but its burn-in and spacing are those of the first, so acquire is asked for too few ticks, readings are more correlated and the error bars too small where the step was halved.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'draws-ask-the-session-model-for-equal-noise',
    set: 'fourth',
    file: 'src/algorithms/sample.ts',
    find: 'return plan.model.equalizesNoise',
    replacement: 'return session.model.equalizesNoise',
    meaning:
      "drawSamples, prepared.sample or logDeterminant of a dense matrix with a calibration (prototype-8): the session's model never equalizes noise, so the middle of the effective noise codes is taken for κ in place of the register's, and all variances are off by a common factor of up to some percent while isCovarianceKnown is true.",
    tests: ['test/recorded-results'],
  },
  {
    id: 'ideal-sampler-error-in-evened-units',
    set: 'fourth',
    file: 'src/algorithms/ideal-sampler.ts',
    find: 'standardError = weighted(estimate.standardError, weights);',
    replacement: 'standardError = estimate.standardError;',
    meaning:
      'createIdealSampler({ noiseTemperature: 1e-4 }).solve of a system whose diagonal is uneven by more than 16 (metres beside radians): `standardError` is that of y = W⁻¹x, too large by 1/w for the scaled unknowns, and the solve takes more draws or fails; even diagonals do not show it.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'block-growth-one-level-up',
    set: 'fourth',
    file: 'src/traces/verify/block-length.ts',
    find: 'Math.max(0, Math.floor(Math.log2(wanted)) - 1)',
    replacement: 'Math.max(0, Math.floor(Math.log2(wanted)))',
    meaning:
      'chooseBlocks, trace verify or the Gaussian checks of thermolink/testing on strongly correlated samples (correlation of 20 samples, 1,000 readings): `inflation` has half of the excess that it should have, so standard errors are too small and alarms come more often than the rate says; series that are still too correlated are judged instead of refused.',
    tests: ['test/traces/verify/block-length.test.ts'],
  },
  {
    id: 'spin-chains-move-alike',
    set: 'fourth',
    file: 'src/learning/quantum/sampler.ts',
    find: 'const random = randomSource({ seed, stream: RANDOM_STREAM.spinMoves, step, block: chain });',
    replacement: 'const random = randomSource({ seed, stream: RANDOM_STREAM.spinMoves, step });',
    meaning:
      'thermolink train ising or heisenberg: all chains get the same proposals and thresholds in a step, so they become dependent and coalesce over the training (once equal they stay equal); 1,024 samples are then worth far fewer, and energy, gradient and curvature have more noise. Each chain alone still samples |ψ|².',
    tests: ['test/recorded-results'],
  },
  {
    id: 'diagonal-less-the-unrounded-damping',
    set: 'fourth',
    file: 'src/board/quantize.ts',
    find: '? withoutDamping(system.matrix, dampingCode * DAMPING_STEP * systemScale)',
    replacement: '? withoutDamping(system.matrix, lambda)',
    meaning:
      'A dense system on a board of 16-bit couplings (ideal-64) whose λ/s_A is no whole register step: the crosspoints of the diagonal do not take back what the damping register rounds, so all diagonal entries are off by up to half a step in one direction; codes, single readings and the covariance of draws (some tenths of a percent in the slowest mode at condition 1000) differ.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'relax-keeps-codes-of-the-first-scale',
    set: 'fourth',
    file: 'src/algorithms/relax.ts',
    find: 'if (coded.scale !== scaling.systemScale || coded.member !== member) {',
    replacement: 'if (coded.member !== member) {',
    meaning:
      'A relaxation that overloads twice or more, such as an indefinite A (allowed) whose growing mode reaches ten times the first guess: s_A and ticks are doubled, but the couplings of the first s_A stay on the board, so it relaxes by 2A (or 4A, 8A) and x is wrong, or the sixth attempt ends in OVERLOAD; after no or one overload nothing differs.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'no-headroom-for-equalized-damping',
    set: 'fourth',
    file: 'src/board/equilibrium-plan.ts',
    find: 'scaleOf(split.largestEntry + model.dampingSpread * split.damping),',
    replacement: 'scaleOf(split.largestEntry),',
    meaning:
      'Calibrated draws of a nearly diagonal precision (I + 0.01·offdiagonal) on a board with unlike noise, such as harsh-64: rows are programmed times their noise temperature, the surplus of the diagonal no longer fits into a crosspoint and the code saturates on the host without a report, so the variances of the hottest cells are some 10 % wrong.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'mean-leakage-in-conductance-units',
    set: 'fourth',
    file: 'src/board/calibrated-model.ts',
    find: 'const leaked = meanLeakage * scaling.systemScale;',
    replacement: 'const leaked = meanLeakage;',
    meaning:
      'A factored system with a calibration of a board that leaks (harsh-64) and an s_A far from 1, such as a K with entries of 0.01 and λ = 1e-4: G_fs is subtracted from units of A, so the damping register gets 0 in place of λ, and draws have a wrong covariance though isCovarianceKnown is true; with s_A near 1 nothing shows.',
    tests: ['test/board/calibrated-model.test.ts'],
  },
  {
    id: 'resumed-runs-added-up',
    set: 'fourth',
    file: 'src/measure/lab-board.ts',
    find: 'this.#runs = known.runs;',
    replacement: 'this.#runs += known.runs;',
    meaning:
      'characterize or calibrate resumed with two or more finished parts: `runs` of a part is a running total, so the sum counts the earlier parts twice, later runs get other run seeds, and noise temperatures and histograms are not the bits of the uninterrupted measurement; with one finished part nothing differs.',
    tests: ['test/measure/characterize/resume.test.ts'],
  },
  {
    id: 'noise-mismatch-spread-not-halved',
    set: 'fourth',
    file: 'src/measure/profile-parts.ts',
    find: 'spreadPpm(noiseTemperature, 1, 1 / 2)',
    replacement: 'spreadPpm(noiseTemperature, 1)',
    meaning:
      'extract of prototype-64: effects.noiseMismatch.spreadPpm of the profile is the spread of temperatures (1 + ν)², about 40,000 ppm in place of 20,000, so other dies of the captured board type have twice the noise mismatch; the measured list of this die is right.',
    tests: ['test/measure/extract/profile-parts.test.ts'],
  },
  {
    id: 'offset-error-by-half-the-gap',
    set: 'fourth',
    file: 'src/measure/drive-transfer.ts',
    find: '(dampings[0] + dampings[1]) / 2',
    replacement: '(dampings[1] - dampings[0]) / 2',
    meaning:
      "characterize of any board: the standard error of the drive offset counts the ADC's offset times 1 G_fs instead of times the mean damping of 2 G_fs, so it is about a seventh too small on prototype boards and (estimate − truth)/error has a mean square of about 1.3; values are the same.",
    tests: ['test/recorded-results'],
  },
  {
    id: 'residuals-uncouple-rows-of-silent-cells',
    set: 'fourth',
    file: 'src/measure/residuals.ts',
    find: 'codes[k] = silent.includes(k % cells) ? 0 : code;',
    replacement: 'codes[k] = silent.includes(Math.floor(k / cells)) ? 0 : code;',
    meaning:
      'calibrate of a board with a stuck ADC channel: the other cells are still coupled to the cell whose voltage is unknown, so residuals.calibrated ("residual after") is several percent of the drive where the calibration is right to 0.1 %; boards without a silent cell do not show it.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'test-figures-of-the-step-before',
    set: 'fourth',
    file: 'src/learning/take-steps.ts',
    find: '{ test: problem.test(next.parameters, next.step) }',
    replacement: '{ test: problem.test(parameters, next.step) }',
    meaning:
      "trainProblem with testEvery (thermolink train poisson, ising …): `test` of a record is what the parameters before the step were worth, so the curve in metrics.jsonl lags by one step and its last point is not the summary's.",
    tests: ['test/recorded-results'],
  },
  {
    id: 'marquardt-square-for-cube',
    set: 'fourth',
    file: 'src/learning/optimizers/levenberg-marquardt.ts',
    find: '(2 * gain - 1) ** 3',
    replacement: '(2 * gain - 1) ** 2',
    meaning:
      'train burgers or heat with lm: after a step whose gain is below one half λ falls (to 0.36 λ at gain 0.1) where it should rise (1.5 λ), so the next attempts are rejected more often and parameters, ticks and λ differ; a step whose gain is 1 (an exact parabola) shows nothing.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'reloaded-factor-not-copied',
    set: 'fourth',
    file: 'src/learning/optimizers/truncated-tngd.ts',
    find: "const array = factor === undefined ? arrays['factor'] : Float64Array.from(factor.data);",
    replacement: "const array = factor === undefined ? arrays['factor'] : factor.data;",
    meaning:
      'train ising --ticks 1024 --reload 4 (problems that fill the same matrix again): the array is known already at every later reload, so the held couplings of step 0 stay on the board for the whole training while the host multiplies by the new factor; no couplings are sent any more (uploadBytes) and directions get worse.',
    tests: ['test/learning/training/reload.test.ts'],
  },
  {
    id: 'lbfgs-scaled-by-the-oldest-pair',
    set: 'fourth',
    file: 'src/learning/optimizers/quasi-newton.ts',
    find: '      const s = pair(moves, pairs - 1);\n      const y = pair(changes, pairs - 1);',
    replacement: '      const s = pair(moves, 0);\n      const y = pair(changes, 0);',
    meaning:
      'train poisson --optimizer lbfgs: from the second step on the first Hessian is scaled by the oldest pair that is kept and not by the newest, up to 50 steps old, so directions are badly scaled and the loss after 150 steps is larger; with one pair nothing differs, nor with bfgs.',
    tests: ['test/recorded-results'],
  },
];
