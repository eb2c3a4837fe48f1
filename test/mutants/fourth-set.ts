import type { Mutant } from './mutant.js';

/**
 * Twenty mutants by a fourth author, who had not read the tests. The tests that existed when the set was
 * written caught 18 of them.
 */
export const FOURTH_SET: readonly Mutant[] = [
  {
    id: 'combined-answer-drops-wandering',
    set: 'fourth',
    file: 'src/algorithms/solve/combined-refinement.ts',
    find: 'return { averaged: { ...averaged, standardError }, noise: subtract(averaged.x, mean) };',
    replacement: 'return { averaged, noise: subtract(averaged.x, mean) };',
    meaning:
      'Affects a solve with a damped plan (condition above 6000) on a board that drifts or flickers, such as harsh-64. `standardError` lacks the variance between board runs and is therefore too small. The answer x does not change.',
    tests: ['test/algorithms/solve-corrections.test.ts'],
  },
  {
    id: 'logdet-settings-share-one-seed',
    set: 'fourth',
    file: 'src/algorithms/logdet/log-determinant.ts',
    find: 'session.readdress({ ...address, block: address.block + k });',
    replacement: 'session.readdress({ ...address, block: address.block });',
    meaning:
      'Affects every log determinant. The board runs at all settings of the damping register have the same run seed, so their noise is alike. The errors of the traces add up instead of averaging out. Both reported error bars are too small.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'closed-loop-end-cost-undiscounted',
    set: 'fourth',
    file: 'src/algorithms/control/predictive-control.ts',
    find: 'closedLoopCost += discount ** steps * dot(x, matVec(endCost, x));',
    replacement: 'closedLoopCost += dot(x, matVec(endCost, x));',
    meaning:
      'Affects predictiveControl and exactPredictiveControl with a discount, such as for rotaryPendulum (γ = 0.99). `closedLoopCost` contains the end cost without its factor γ^steps. With 20 steps the end cost is about 20 % too large.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'lyapunov-second-stage-timed-by-first-plan',
    set: 'fourth',
    file: 'src/algorithms/lyapunov/solve-lyapunov.ts',
    find: 'readStationary(session, corrected, run(corrected, 1))',
    replacement: 'readStationary(session, corrected, run(plan, 1))',
    meaning:
      'Affects every Lyapunov equation. The tick of the second stage is shorter than the tick of the first stage: 1.1 times, or 2, 4 … times if the step had to be halved. The second stage keeps the burn-in and the spacing of the first stage, in ticks, so both are too short. Its readings are more correlated. After a halved step the error bars are too small.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'draws-ask-the-session-model-for-equal-noise',
    set: 'fourth',
    file: 'src/algorithms/sample.ts',
    find: 'return plan.model.equalizesNoise',
    replacement: 'return session.model.equalizesNoise',
    meaning:
      "Affects drawSamples, prepared.sample and logDeterminant of a dense matrix with a calibration (prototype-8). The board model of the session never equalizes noise, although the model of the plan does. κ is therefore computed from the middle of the cells' noise codes instead of the noise register. All variances are wrong by a common factor of up to some percent, although isCovarianceKnown is true.",
    tests: ['test/recorded-results'],
  },
  {
    id: 'ideal-sampler-error-in-evened-units',
    set: 'fourth',
    file: 'src/algorithms/ideal-sampler.ts',
    find: 'standardError = weighted(estimate.standardError, weights);',
    replacement: 'standardError = estimate.standardError;',
    meaning:
      'Affects createIdealSampler({ noiseTemperature: 1e-4 }).solve of a system whose diagonal entries differ by a factor above 16, such as metres beside radians. `standardError` is the error of the scaled unknowns y = W⁻¹x. It is too large by the factor 1/w, so the solve takes more draws or fails. A system with a more even diagonal does not show this mutant.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'block-growth-one-level-up',
    set: 'fourth',
    file: 'src/traces/verify/block-length.ts',
    find: 'Math.max(0, Math.floor(Math.log2(wanted)) - 1)',
    replacement: 'Math.max(0, Math.floor(Math.log2(wanted)))',
    meaning:
      'Affects chooseBlocks, trace verify and the Gaussian checks of thermolink/testing on strongly correlated samples (1,000 readings, correlation over 20 samples). The part of `inflation` above 1 is half of the right one. Standard errors are too small, and false alarms come more often than the chosen rate. Series that are too correlated are judged instead of refused.',
    tests: ['test/traces/verify/block-length.test.ts'],
  },
  {
    id: 'spin-chains-move-alike',
    set: 'fourth',
    file: 'src/learning/quantum/sampler.ts',
    find: 'const random = randomSource({ seed, stream: RANDOM_STREAM.spinMoves, step, block: chain });',
    replacement: 'const random = randomSource({ seed, stream: RANDOM_STREAM.spinMoves, step });',
    meaning:
      'Affects thermolink train ising and heisenberg. All Markov chains get the same proposals and thresholds in a step. The chains become dependent, and two chains that are once equal stay equal. 1,024 samples are then worth far fewer independent ones, so energy, gradient and curvature have more noise. Each chain alone still samples |ψ|².',
    tests: ['test/recorded-results'],
  },
  {
    id: 'diagonal-less-the-unrounded-damping',
    set: 'fourth',
    file: 'src/board/quantize.ts',
    find: '? withoutDamping(system.matrix, dampingCode * DAMPING_STEP * systemScale)',
    replacement: '? withoutDamping(system.matrix, lambda)',
    meaning:
      'Affects a dense system on a board with 16-bit couplings (ideal-64), when λ/s_A is not a whole number of register steps. The crosspoints of the diagonal do not correct the rounding of the damping register. All diagonal entries are wrong by the same amount, at most half a step. At condition 1000 the covariance of draws differs by some tenths of a percent in the slowest mode.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'relax-keeps-codes-of-the-first-scale',
    set: 'fourth',
    file: 'src/algorithms/relax.ts',
    find: 'if (coded.scale !== scaling.systemScale || coded.member !== member) {',
    replacement: 'if (coded.member !== member) {',
    meaning:
      'Affects a relaxation that overloads at least twice, such as one with an indefinite A whose growing mode reaches ten times the first guess. s_A and the number of ticks are doubled, but the couplings of the first s_A stay on the board. The board therefore relaxes with 2A, 4A or 8A instead of A. x is wrong, or the sixth attempt ends in OVERLOAD. A relaxation with at most one overload does not show this mutant.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'no-headroom-for-equalized-damping',
    set: 'fourth',
    file: 'src/board/equilibrium-plan.ts',
    find: 'scaleOf(split.largestEntry + model.dampingSpread * split.damping),',
    replacement: 'scaleOf(split.largestEntry),',
    meaning:
      'Affects calibrated draws with a nearly diagonal precision matrix (I + 0.01·offdiagonal) on a board whose cells have unequal noise, such as harsh-64. Each row is multiplied by the noise temperature of its cell, and the largest diagonal entries then exceed the range of a crosspoint. The host clips these codes without a report. The variances of the hottest cells are wrong by some 10 %.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'mean-leakage-in-conductance-units',
    set: 'fourth',
    file: 'src/board/calibrated-model.ts',
    find: 'const leaked = meanLeakage * scaling.systemScale;',
    replacement: 'const leaked = meanLeakage;',
    meaning:
      'Affects a factored system with the calibration of a board that leaks (harsh-64) and an s_A far from 1, such as K with entries of 0.01 and λ = 1e-4. The host subtracts a leakage in units of G_fs from a damping in units of A, so the damping register gets 0 instead of λ. Draws have a wrong covariance although isCovarianceKnown is true. A system with s_A near 1 does not show this mutant.',
    tests: ['test/board/calibrated-model.test.ts'],
  },
  {
    id: 'resumed-runs-added-up',
    set: 'fourth',
    file: 'src/measure/lab-board.ts',
    find: 'this.#runs = known.runs;',
    replacement: 'this.#runs += known.runs;',
    meaning:
      'Affects characterize and calibrate when they are resumed with two or more finished parts. The field `runs` of a part already counts the runs of all parts before it, so the sum counts these runs twice. Later runs get other run seeds. Noise temperatures and histograms then differ from those of an uninterrupted measurement.',
    tests: ['test/measure/characterize/resume.test.ts'],
  },
  {
    id: 'noise-mismatch-spread-not-halved',
    set: 'fourth',
    file: 'src/measure/profile-parts.ts',
    find: 'spreadPpm(noiseTemperature, 1, 1 / 2)',
    replacement: 'spreadPpm(noiseTemperature, 1)',
    meaning:
      'Affects extract of prototype-64. effects.noiseMismatch.spreadPpm in the profile is the spread of the noise temperatures instead of the noise amplitudes: about 40,000 ppm instead of 20,000. Other dies of the captured board type therefore have twice the noise mismatch. The measured values of this die are right.',
    tests: ['test/measure/extract/profile-parts.test.ts'],
  },
  {
    id: 'offset-error-by-half-the-gap',
    set: 'fourth',
    file: 'src/measure/drive-transfer.ts',
    find: '(dampings[0] + dampings[1]) / 2',
    replacement: '(dampings[1] - dampings[0]) / 2',
    meaning:
      "Affects characterize of any board. In the standard error of the drive offset the ADC's offset is multiplied by 1 G_fs instead of the mean damping of 2 G_fs. On prototype boards this standard error is about a seventh too small, and (estimate − truth)/error has a mean square of about 1.3. The estimates do not change.",
    tests: ['test/recorded-results'],
  },
  {
    id: 'residuals-uncouple-rows-of-silent-cells',
    set: 'fourth',
    file: 'src/measure/residuals.ts',
    find: 'codes[k] = silent.includes(k % cells) ? 0 : code;',
    replacement: 'codes[k] = silent.includes(Math.floor(k / cells)) ? 0 : code;',
    meaning:
      'Affects calibrate of a board with a stuck ADC channel. The other cells are still coupled to the cell whose voltage is unknown. residuals.calibrated (`residual after`) is therefore several percent of the drive, although the calibration is right to 0.1 %. A board without such a cell does not show this mutant.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'test-figures-of-the-step-before',
    set: 'fourth',
    file: 'src/learning/take-steps.ts',
    find: '{ test: problem.test(next.parameters, next.step) }',
    replacement: '{ test: problem.test(parameters, next.step) }',
    meaning:
      "Affects trainProblem with testEvery (thermolink train poisson, ising …). `test` of a record belongs to the parameters before the step. The test results in metrics.jsonl are therefore one step late, and the last one differs from the summary's.",
    tests: ['test/recorded-results'],
  },
  {
    id: 'marquardt-square-for-cube',
    set: 'fourth',
    file: 'src/learning/optimizers/levenberg-marquardt.ts',
    find: '(2 * gain - 1) ** 3',
    replacement: '(2 * gain - 1) ** 2',
    meaning:
      'Affects train burgers and train heat with the optimizer lm. After a step whose gain is below one half, λ falls (to 0.36 λ at a gain of 0.1) although it should rise (to 1.5 λ). The next attempts are rejected more often. A step with gain 1 (the loss is an exact parabola) does not show this mutant.',
    tests: ['test/recorded-results'],
  },
  {
    id: 'reloaded-factor-not-copied',
    set: 'fourth',
    file: 'src/learning/optimizers/truncated-tngd.ts',
    find: "const array = factor === undefined ? arrays['factor'] : Float64Array.from(factor.data);",
    replacement: "const array = factor === undefined ? arrays['factor'] : factor.data;",
    meaning:
      'Affects train ising --ticks 1024 --reload 4, and other problems that write every factor into the same array. The host takes the array for one that the board has already, so the board keeps the couplings of step 0 for the whole training. The host itself computes with the new factor. uploadBytes shows that no more couplings are sent, and the directions of the steps get worse.',
    tests: ['test/learning/training/reload.test.ts'],
  },
  {
    id: 'lbfgs-scaled-by-the-oldest-pair',
    set: 'fourth',
    file: 'src/learning/optimizers/quasi-newton.ts',
    find: '      const s = pair(moves, pairs - 1);\n      const y = pair(changes, pairs - 1);',
    replacement: '      const s = pair(moves, 0);\n      const y = pair(changes, 0);',
    meaning:
      'Affects train poisson --optimizer lbfgs. From the second step on, the initial Hessian is scaled by the oldest kept pair of a move and a gradient change instead of the newest. The oldest pair is up to 50 steps old. The steps are badly scaled, and the loss after 150 steps is larger. The optimizer bfgs does not show this mutant.',
    tests: ['test/recorded-results'],
  },
];
