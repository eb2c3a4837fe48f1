import type { Mutant } from './mutant.js';

/**
 * Twenty mutants by a fourth author, who had not read the tests. Each of the five parts of the program has
 * four of them. The tests of that time caught 18: the recorded results caught 14, laws caught three, and a
 * law of the long set caught one.
 */
export const FOURTH_SET: readonly Mutant[] = [
  {
    id: 'combined-answer-drops-wandering',
    set: 'fourth',
    file: 'src/algorithms/solve/combined-refinement.ts',
    find: 'return { averaged: { ...averaged, standardError }, noise: subtract(averaged.x, mean) };',
    replacement: 'return { averaged, noise: subtract(averaged.x, mean) };',
    meaning:
      'A solve with a damped plan (condition above 6000) on a board that drifts or flickers, such as harsh-64. `standardError` lacks the variance between board runs, which the plain refinement adds. The error bars are therefore too small, and the acceptance uses them. x does not change.',
    tests: ['test/algorithms/solve-corrections.test.ts'],
  },
  {
    id: 'logdet-settings-share-one-seed',
    set: 'fourth',
    file: 'src/algorithms/logdet/log-determinant.ts',
    find: 'session.readdress({ ...address, block: address.block + k });',
    replacement: 'session.readdress({ ...address, block: address.block });',
    meaning:
      'Any log determinant. All settings of the damping register use the same run seed instead of block + k. Their noise is therefore alike, and the errors of the traces add up instead of averaging out. Both error bars are too small.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'closed-loop-end-cost-undiscounted',
    set: 'fourth',
    file: 'src/algorithms/control/predictive-control.ts',
    find: 'closedLoopCost += discount ** steps * dot(x, matVec(endCost, x));',
    replacement: 'closedLoopCost += dot(x, matVec(endCost, x));',
    meaning:
      'predictiveControl and exactPredictiveControl of a discounted plant, such as rotaryPendulum (γ = 0.99), over few steps. `closedLoopCost` counts the cost at the end in full instead of times γ^steps. With 20 steps this part is about 20 % too large.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'lyapunov-second-stage-timed-by-first-plan',
    set: 'fourth',
    file: 'src/algorithms/lyapunov/solve-lyapunov.ts',
    find: 'readStationary(session, corrected, run(corrected, 1))',
    replacement: 'readStationary(session, corrected, run(plan, 1))',
    meaning:
      'Any Lyapunov equation. The second stage has a finer tick: 1.1 times finer, or 2, 4 … times finer if the step had to be halved. The mutant keeps the burn-in and the spacing of the first stage, so the second stage takes too few ticks. Its readings are more correlated. After a halved step the error bars are too small.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'draws-ask-the-session-model-for-equal-noise',
    set: 'fourth',
    file: 'src/algorithms/sample.ts',
    find: 'return plan.model.equalizesNoise',
    replacement: 'return session.model.equalizesNoise',
    meaning:
      "drawSamples, prepared.sample or logDeterminant of a dense matrix with a calibration (prototype-8). The session's model never equalizes noise. κ is therefore computed from the middle of the effective noise codes instead of the register. All variances are wrong by a common factor of up to some percent, although isCovarianceKnown is true.",
    tests: ['test/recorded-results'],
  },
  {
    id: 'ideal-sampler-error-in-evened-units',
    set: 'fourth',
    file: 'src/algorithms/ideal-sampler.ts',
    find: 'standardError = weighted(estimate.standardError, weights);',
    replacement: 'standardError = estimate.standardError;',
    meaning:
      'createIdealSampler({ noiseTemperature: 1e-4 }).solve of a system whose diagonal is uneven by more than 16, such as metres beside radians. `standardError` is that of y = W⁻¹x, so it is too large by 1/w for the scaled unknowns. The solve takes more draws or fails. Systems with an even diagonal do not show it.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'block-growth-one-level-up',
    set: 'fourth',
    file: 'src/traces/verify/block-length.ts',
    find: 'Math.max(0, Math.floor(Math.log2(wanted)) - 1)',
    replacement: 'Math.max(0, Math.floor(Math.log2(wanted)))',
    meaning:
      'chooseBlocks, trace verify or the Gaussian checks of thermolink/testing on strongly correlated samples (1,000 readings, correlation of 20 samples). The excess of `inflation` is half of the right one. Standard errors are too small, and alarms come more often than the rate says. Series that are too correlated are judged instead of refused.',
    tests: ['test/traces/verify/block-length.test.ts'],
  },
  {
    id: 'spin-chains-move-alike',
    set: 'fourth',
    file: 'src/learning/quantum/sampler.ts',
    find: 'const random = randomSource({ seed, stream: RANDOM_STREAM.spinMoves, step, block: chain });',
    replacement: 'const random = randomSource({ seed, stream: RANDOM_STREAM.spinMoves, step });',
    meaning:
      'thermolink train ising or heisenberg. All chains get the same proposals and thresholds in a step. They become dependent, and two chains that are once equal stay equal. 1,024 samples are then worth far fewer, so energy, gradient and curvature have more noise. Each chain alone still samples |ψ|².',
    tests: ['test/recorded-results'],
  },
  {
    id: 'diagonal-less-the-unrounded-damping',
    set: 'fourth',
    file: 'src/board/quantize.ts',
    find: '? withoutDamping(system.matrix, dampingCode * DAMPING_STEP * systemScale)',
    replacement: '? withoutDamping(system.matrix, lambda)',
    meaning:
      'A dense system on a board with 16-bit couplings (ideal-64) whose λ/s_A is not a whole register step. The crosspoints of the diagonal do not correct the rounding of the damping register. All diagonal entries are wrong by up to half a step in one direction. Codes and single readings differ. The covariance of draws differs by some tenths of a percent in the slowest mode at condition 1000.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'relax-keeps-codes-of-the-first-scale',
    set: 'fourth',
    file: 'src/algorithms/relax.ts',
    find: 'if (coded.scale !== scaling.systemScale || coded.member !== member) {',
    replacement: 'if (coded.member !== member) {',
    meaning:
      'A relaxation that overloads at least twice, such as one with an indefinite A whose growing mode reaches ten times the first guess. s_A and the ticks are doubled, but the couplings of the first s_A stay on the board. The board therefore relaxes by 2A (or 4A, 8A). x is wrong, or the sixth attempt ends in OVERLOAD. With at most one overload nothing differs.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'no-headroom-for-equalized-damping',
    set: 'fourth',
    file: 'src/board/equilibrium-plan.ts',
    find: 'scaleOf(split.largestEntry + model.dampingSpread * split.damping),',
    replacement: 'scaleOf(split.largestEntry),',
    meaning:
      'Calibrated draws of a nearly diagonal precision (I + 0.01·offdiagonal) on a board whose cells have unequal noise, such as harsh-64. Rows are programmed times their noise temperature, and the surplus of the diagonal does not fit into a crosspoint. The host cuts the code off without a report. The variances of the hottest cells are wrong by some 10 %.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'mean-leakage-in-conductance-units',
    set: 'fourth',
    file: 'src/board/calibrated-model.ts',
    find: 'const leaked = meanLeakage * scaling.systemScale;',
    replacement: 'const leaked = meanLeakage;',
    meaning:
      'A factored system with the calibration of a board that leaks (harsh-64) and an s_A far from 1, such as K with entries of 0.01 and λ = 1e-4. A leakage in G_fs is subtracted from a damping in units of A, so the damping register gets 0 instead of λ. Draws have a wrong covariance although isCovarianceKnown is true. With s_A near 1 nothing shows.',
    tests: ['test/board/calibrated-model.test.ts'],
  },
  {
    id: 'resumed-runs-added-up',
    set: 'fourth',
    file: 'src/measure/lab-board.ts',
    find: 'this.#runs = known.runs;',
    replacement: 'this.#runs += known.runs;',
    meaning:
      'characterize or calibrate, resumed with two or more finished parts. `runs` of a part is a running total, so the sum counts the earlier parts twice. Later runs get other run seeds. Noise temperatures and histograms then differ from those of an uninterrupted measurement. With one finished part nothing differs.',
    tests: ['test/measure/characterize/resume.test.ts'],
  },
  {
    id: 'noise-mismatch-spread-not-halved',
    set: 'fourth',
    file: 'src/measure/profile-parts.ts',
    find: 'spreadPpm(noiseTemperature, 1, 1 / 2)',
    replacement: 'spreadPpm(noiseTemperature, 1)',
    meaning:
      'extract of prototype-64. effects.noiseMismatch.spreadPpm of the profile is the spread of temperatures, (1 + ν)²: about 40,000 ppm instead of 20,000. Other dies of the captured board type therefore have twice the noise mismatch. The measured list of this die is right.',
    tests: ['test/measure/extract/profile-parts.test.ts'],
  },
  {
    id: 'offset-error-by-half-the-gap',
    set: 'fourth',
    file: 'src/measure/drive-transfer.ts',
    find: '(dampings[0] + dampings[1]) / 2',
    replacement: '(dampings[1] - dampings[0]) / 2',
    meaning:
      "characterize of any board. The standard error of the drive offset counts the ADC's offset times 1 G_fs instead of the mean damping of 2 G_fs. On prototype boards it is about a seventh too small, and (estimate − truth)/error has a mean square of about 1.3. The values are the same.",
    tests: ['test/recorded-results'],
  },
  {
    id: 'residuals-uncouple-rows-of-silent-cells',
    set: 'fourth',
    file: 'src/measure/residuals.ts',
    find: 'codes[k] = silent.includes(k % cells) ? 0 : code;',
    replacement: 'codes[k] = silent.includes(Math.floor(k / cells)) ? 0 : code;',
    meaning:
      'calibrate of a board with a stuck ADC channel. The other cells are still coupled to the cell whose voltage is unknown. residuals.calibrated (`residual after`) is therefore several percent of the drive, although the calibration is right to 0.1 %. Boards without a silent cell do not show it.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'test-figures-of-the-step-before',
    set: 'fourth',
    file: 'src/learning/take-steps.ts',
    find: '{ test: problem.test(next.parameters, next.step) }',
    replacement: '{ test: problem.test(parameters, next.step) }',
    meaning:
      "trainProblem with testEvery (thermolink train poisson, ising …). `test` of a record belongs to the parameters before the step. The curve in metrics.jsonl is therefore one step late, and its last point differs from the summary's.",
    tests: ['test/recorded-results'],
  },
  {
    id: 'marquardt-square-for-cube',
    set: 'fourth',
    file: 'src/learning/optimizers/levenberg-marquardt.ts',
    find: '(2 * gain - 1) ** 3',
    replacement: '(2 * gain - 1) ** 2',
    meaning:
      'train burgers or heat with lm. After a step whose gain is below one half, λ falls (to 0.36 λ at a gain of 0.1) although it should rise (to 1.5 λ). The next attempts are rejected more often. Parameters, ticks and λ differ. A step with gain 1 (an exact parabola) shows nothing.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'reloaded-factor-not-copied',
    set: 'fourth',
    file: 'src/learning/optimizers/truncated-tngd.ts',
    find: "const array = factor === undefined ? arrays['factor'] : Float64Array.from(factor.data);",
    replacement: "const array = factor === undefined ? arrays['factor'] : factor.data;",
    meaning:
      'train ising --ticks 1024 --reload 4, and other problems that fill the same matrix again. At every later reload the array is known already, so the board keeps the couplings of step 0 for the whole training. The host multiplies by the new factor. uploadBytes shows that no more couplings are sent, and directions get worse.',
    tests: ['test/learning/training/reload.test.ts'],
  },
  {
    id: 'lbfgs-scaled-by-the-oldest-pair',
    set: 'fourth',
    file: 'src/learning/optimizers/quasi-newton.ts',
    find: '      const s = pair(moves, pairs - 1);\n      const y = pair(changes, pairs - 1);',
    replacement: '      const s = pair(moves, 0);\n      const y = pair(changes, 0);',
    meaning:
      'train poisson --optimizer lbfgs. From the second step on, the first Hessian is scaled by the oldest kept pair instead of the newest. This pair is up to 50 steps old. Directions are badly scaled, and the loss after 150 steps is larger. With one pair, and with bfgs, nothing differs.',
    tests: ['test/recorded-results'],
  },
];
