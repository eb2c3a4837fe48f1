/** Results of single functions at chosen arguments: plans, scales, bounds, stopping rules. */
import { findProfile } from '../../../emulator/profiles/profiles.js';
import { certify } from '../../../src/algorithms/acceptance.js';
import { measuredGradient, rolloutCost, visitedStates } from '../../../src/algorithms/control/rollouts.js';
import { bennettDifference } from '../../../src/algorithms/logdet/bennett.js';
import { planSweep, quadratureOf } from '../../../src/algorithms/logdet/damping-sweep.js';
import { headOf } from '../../../src/algorithms/logdet/head.js';
import { dualCertificate, primalCertificate } from '../../../src/algorithms/qp/infeasibility.js';
import { kktResiduals, worstOf } from '../../../src/algorithms/qp/kkt.js';
import { ruizScaled } from '../../../src/algorithms/qp/ruiz.js';
import { ConjugateDirections, isStalled } from '../../../src/algorithms/solve/conjugate-directions.js';
import { isImperfect, isRoundingSmall } from '../../../src/algorithms/solve/corrections.js';
import { deadCells, reasonOfStall, reasonOfZeros } from '../../../src/algorithms/solve/failure.js';
import {
  noiseOfStandardError,
  noiseResidualBound,
  quietestStandardError,
  wantedNoise,
} from '../../../src/algorithms/solve/noise-budget.js';
import { SolveMeter } from '../../../src/algorithms/solve/progress.js';
import { nominalModel } from '../../../src/board/board-model.js';
import { rowAttenuationOf } from '../../../src/board/board-range.js';
import { calibratedModel } from '../../../src/board/calibrated-model.js';
import { checkSystem } from '../../../src/board/checked-system.js';
import { quietSystemScale, splitDiagonal } from '../../../src/board/diagonal-split.js';
import type { Average } from '../../../src/board/equilibrium-pass.js';
import {
  boardNoise,
  carryNoiseShare,
  type EquilibriumPlan,
  noiseLimitedScale,
  planEquilibrium,
  plusDamping,
} from '../../../src/board/equilibrium-plan.js';
import { burnInTicks, estimateMean } from '../../../src/board/estimate.js';
import { fastestScaling } from '../../../src/board/fastest-scaling.js';
import { noiseRegister, noiseTemperatureRange } from '../../../src/board/noise-register.js';
import { runSeedOf } from '../../../src/board/run-seed.js';
import {
  equilibriumSolutionScale,
  equilibriumSystemScale,
  finiteTimeScaling,
} from '../../../src/board/scaling.js';
import { factorEigenvalueMax } from '../../../src/board/spectrum.js';
import { planBatches } from '../../../src/learning/batches.js';
import { lineSearch } from '../../../src/learning/optimizers/line-search.js';
import { applyStep, dampingAt, rateAt } from '../../../src/learning/optimizers/step.js';
import { chainsAt, startChains } from '../../../src/learning/quantum/sampler.js';
import { heisenbergModel, isingModel } from '../../../src/learning/quantum/spin-chain.js';
import { reweightedEnergy } from '../../../src/learning/quantum/variational-energy.js';
import { conjugateDirections } from '../../../src/linalg/conjugate-directions.js';
import type { LinearSystem } from '../../../src/linalg/linear-system.js';
import { matVec } from '../../../src/linalg/products.js';
import { judge } from '../../../src/measure/adc-histogram.js';
import { summarize } from '../../../src/measure/estimates.js';
import { fitLinear } from '../../../src/measure/least-squares.js';
import { integers, isReal, meanPpm, realDeviation, spreadPpm } from '../../../src/measure/profile-numbers.js';
import { noiseExamples } from '../../support/network-examples.js';
import { request } from '../../support/optimizer-steps.js';
import { normalVector, problemRandom } from '../../support/solver-problems.js';
import type { Lab, ProgramTable } from '../program.js';
import { ADDRESS, calibrationOf, factored, ofSize, problem, rowsOf, unlike } from './boards.js';

const vector = (length: number, seed = 870) => normalVector(problemRandom(seed), length);
const identityOf = (lab: Lab, profile: string, size?: object) => lab.board(profile, size).identity;

/** Five plans: four systems on four boards. */
function plansOf(lab: Lab): EquilibriumPlan[] {
  const plan = (
    system: LinearSystem,
    profile: string,
    dampingMax = 0,
    size: object = {},
    isCalibrated = false,
  ) => {
    const identity = identityOf(lab, profile, size);
    const model = isCalibrated
      ? calibratedModel(calibrationOf(profile, size), identity, { equalizeNoise: true })
      : nominalModel(identity);
    return planEquilibrium(checkSystem(system).evened.checked, identity, model, dampingMax);
  };
  return [
    plan(problem(8, 6).system, 'ideal-8'),
    plan(problem(4, 80).system, 'ideal-8', 3),
    plan(unlike(5, 6), 'spu-8'),
    plan(factored(9, 4, 0.2), 'ideal-crossbar', 0, ofSize(4, 9)),
    plan(problem(8, 6).system, 'prototype-8', 1, {}, true),
  ];
}

/** The fields of a plan that are numbers or codes. */
function numbersOf(plan: EquilibriumPlan) {
  const { spectrum, systemScale, rail, settleTicks, ticksPerSample, samplesMin, correlationTimeMax } = plan;
  const { codes, noiseTemperatureMin, noiseTemperatureMax } = plan;
  return {
    ...{ spectrum, systemScale, rail, settleTicks, ticksPerSample, samplesMin, correlationTimeMax },
    ...{ codes, noiseTemperatureMin, noiseTemperatureMax },
  };
}

/** An average as a board could return it. */
function averageOf(plan: EquilibriumPlan, error: number): Average {
  const n = plan.codes.cells;
  return {
    ...{ x: vector(n), solutionScale: 2, peak: 0.4, rounding: vector(n, 871).map((value) => value * 1e-3) },
    standardError: vector(n, 872).map((value) => error * (1 + value * value)),
    ...{ samples: 64, noiseTemperature: 1e-5, carryNoiseShare: 0 },
  };
}

export const PARTS: ProgramTable = {
  'part-plans': async (lab) =>
    plansOf(lab).map((plan) => ({
      plan: numbersOf(plan),
      damped: [0.7, 0.9, 40].map((share) =>
        numbersOf(plusDamping(plan, share * plan.spectrum.eigenvalueMin)),
      ),
      scales: [1e-8, 1e-3, 10].map((noise) => noiseLimitedScale(plan, noise)),
      board: boardNoise(plan, 4, 1e-3),
      carry: [1e-8, 1e-4].map((noise) => carryNoiseShare(plan, noise)),
    })),
  'part-noise-budget': async (lab) =>
    plansOf(lab).map((plan) => ({
      wanted: [0, 1, 2].map((averages) => wantedNoise(plan, 0.05, averages, 3)),
      ofError: [0, 1].map((averages) => noiseOfStandardError(plan, 0.05, averages, 3)),
      residual: [1e-6, 1e-2, 1].map((error) => noiseResidualBound(plan, averageOf(plan, error))),
      quietest: quietestStandardError(plan, averageOf(plan, 1)),
      flat: quietestStandardError(
        { ...plan, spectrum: { ...plan.spectrum, eigenvalueMin: plan.spectrum.trace } },
        averageOf(plan, 1),
      ),
    })),
  'part-scalings': async (lab) => {
    const identity = identityOf(lab, 'ideal-8');
    const crossbar = identityOf(lab, 'ideal-crossbar', ofSize(12, 24));
    const systems = [problem(8, 6).system, factored(5, 8, 0.3), factored(24, 12, 0)];
    return systems.map((system) => {
      const checked = checkSystem(system);
      const n = checked.dimension;
      const { largestEntry } = checked.measure;
      return {
        timed: [0, 1e-3, 0.05, 0.6, 4, 100].map((time) =>
          finiteTimeScaling(checked, { time, drive: vector(n), initial: vector(n, 873) }, identity, 8),
        ),
        still: finiteTimeScaling(
          checked,
          { time: 1, drive: new Float64Array(n), initial: new Float64Array(n) },
          identity,
          8,
        ),
        driven: finiteTimeScaling(
          checked,
          { time: 1e-3, drive: vector(n).map((value) => value * 1e4), initial: new Float64Array(n) },
          identity,
          16,
        ),
        equilibrium: [1, 40].map((max) => equilibriumSystemScale(system, largestEntry, 1, max, identity)),
        solution: [1e-3, 1].map((min) => equilibriumSolutionScale(vector(n), min, 3, identity)),
        split: splitDiagonal(system, largestEntry),
        quiet: quietSystemScale(30, identity),
        fastest:
          system.kind === 'factored' &&
          [
            [8, 0],
            [4, 0],
            [5, 3],
          ].map(([bits, damping]) => {
            const eigenvalueMax = factorEigenvalueMax(system.factor);
            const model = nominalModel(crossbar);
            const fit = fastestScaling(
              checkSystem({ ...system, damping: 0 }),
              { eigenvalueMax, damping },
              crossbar,
              bits,
              model,
            );
            return [eigenvalueMax, fit];
          }),
        rows: [0.2, 1, 1.01, 7].map((sum) => rowAttenuationOf(9, sum, 16)),
      };
    });
  },
  'part-registers': async (lab) => {
    const identity = identityOf(lab, 'ideal-8');
    const range = noiseTemperatureRange(identity, 1 / 16);
    const between = Array.from({ length: 24 }, (_, k) => range.min * (range.max / range.min) ** (k / 23));
    return {
      range,
      registers: between.map((temperature) => noiseRegister(temperature, 1 / 16, identity)),
      off: noiseRegister(0, 1 / 16, identity),
      beyond: [range.min / 2, range.max * 2].map((temperature) =>
        noiseRegister(temperature, 1 / 16, identity),
      ),
      seeds: [0, 1, 2].map((attempt) => runSeedOf(ADDRESS, attempt)),
    };
  },
  'part-estimates': async () => {
    const random = problemRandom(874);
    const correlated = (kept: number, samples: number) => {
      const codes = new Int16Array(2 * samples);
      for (let at = 0; at < codes.length; at++)
        codes[at] = Math.round(kept * (at < 2 ? 0 : codes[at - 2]) + 300 * random.normal());
      return estimateMean(codes, 2);
    };
    return {
      estimates: [
        correlated(0, 16),
        correlated(0.6, 48),
        correlated(0.95, 64),
        correlated(-0.8, 48),
        estimateMean(new Int16Array(40).fill(7), 2),
      ],
      burnIn: [0.01, 0.3, 0.99, 1, 1.5].map((decay) => burnInTicks(2 ** -10, decay)),
    };
  },
  'part-stopping': async (lab) => {
    const residual = vector(4);
    const energies = (length: number, one: number) => Array.from({ length }, (_, k) => one * (1 + (k % 3)));
    const stalls = [1, 12, 15, 16, 17, 19, 20, 40].map((length) =>
      [1e-4, 1e-3, 3e-3, 1e-2, 3e-2].map((one) => Number(isStalled(energies(length, one), residual, 3))),
    );
    const { matrix } = problem(4, 30).system;
    const directions = new ConjugateDirections((x) => matVec(matrix, x));
    const steps = [vector(4, 875), vector(4, 876), vector(4, 875), new Float64Array(4)].map((d) =>
      directions.step(d, residual),
    );
    const heard: unknown[] = [];
    const [plan] = plansOf(lab);
    const meter = new SolveMeter(plan, (progress) => heard.push(progress));
    const state = {
      passes: 1,
      averages: 0,
      samples: 0,
      relativeErrorBound: Infinity,
      relativeStandardError: 0.2,
    };
    meter.passBegins(state);
    for (const samples of [16, 48, 64, 500]) meter.averages({ ...state, samples: 1 }, samples);
    meter.passBegins({ ...state, passes: 2, averages: 1, samples: 65 });
    meter.averages({ ...state, passes: 2, averages: 1, samples: 66 }, 16);
    meter.passBegins({ ...state, passes: 4, averages: 2, samples: 90 });
    meter.accepted({ ...state, passes: 4, averages: 2, samples: 120 });
    const plain = await conjugateDirections(
      (x) => matVec(matrix, x),
      residual,
      3,
      async (r) => r,
    );
    return { stalls, steps, again: directions.again(residual), heard, plain };
  },
  'part-verdicts': async (lab) => {
    const [plan, , , crossbar] = plansOf(lab);
    const drive = vector(8, 877);
    const exact = problem(8, 6);
    const evened = checkSystem(exact.system).evened;
    const verdictsOf = (of: EquilibriumPlan, b: Float64Array, x: Float64Array, rounding: Float64Array) => {
      const pass = { drive: b, reading: { x: Float64Array.from(x), solutionScale: 2, peak: 0.4, rounding } };
      return {
        zeros: [1, 4].map((passes) => reasonOfZeros(of, pass, passes)),
        stalls: [0.2, 0.7, 1].map((left) => reasonOfStall(of, pass, left)),
        dead: deadCells(of, pass),
        isImperfect: isImperfect(of, b, pass.reading),
      };
    };
    const still = exact.exact.map((value, i) => (i === 3 ? 0 : value));
    const nearly = (share: number) => exact.exact.map((value) => value * (1 + share));
    return {
      off: verdictsOf(plan, exact.drive, vector(8, 878), drive),
      still: verdictsOf(plan, exact.drive, still, new Float64Array(8)),
      lost: verdictsOf(plan, exact.drive, new Float64Array(8), exact.drive),
      crossbar: verdictsOf(crossbar, drive.slice(0, 4), vector(4, 879), vector(4, 880)),
      imperfect: [1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.1, 0.6].map(
        (share) => verdictsOf(plan, exact.drive, nearly(share), new Float64Array(8)).isImperfect,
      ),
      small: [1e-3, 1e-2, 0.1, 1].map((error) =>
        isRoundingSmall({ ...plan, evened, damping: 0 }, averageOf(plan, error)),
      ),
      certificates: [0, 1e-3, 0.3, 2].map((share) => certify(evened, exact.drive, nearly(share))),
    };
  },
  'part-models': async (lab) => {
    const profiles = ['prototype-8', 'spu-8', 'ideal-8'];
    const scaling = { systemScale: 3, solutionScale: 2, couplingBits: 8, rowAttenuation: 0 };
    return profiles.map((profile) => {
      const identity = identityOf(lab, profile);
      const known = findProfile(profile)!.effects !== null;
      const models = [
        nominalModel(identity),
        ...(known
          ? [false, true].map((equalizeNoise) =>
              calibratedModel(calibrationOf(profile), identity, { equalizeNoise }),
            )
          : []),
      ];
      return models.map((model) => {
        const codes = model.quantizeSystem(problem(8, 3).system, scaling, 0.1);
        const drive = model.quantizeDrive(vector(8), scaling);
        return {
          margins: [model.couplingMargin, model.dampingSpread, model.driveMargin, model.equalizesNoise],
          ...{ codes, drive, driven: model.programmedDrive(drive, scaling) },
          programmed: model.programmedSystem(codes, 3),
          read: model.readOut(Int16Array.of(1, -5, 100, -2000, 0, 7, 1500, 40), 2),
          spread: model.readOutSpread(vector(8).map(Math.abs), 2),
        };
      });
    });
  },
  'part-fits': async () => {
    const random = problemRandom(881);
    const x = Float64Array.from({ length: 24 }, () => random.normal());
    const y = x.map((value) => 2 - value + 0.1 * random.normal());
    const groups = Int32Array.from(x, (_, k) => Math.floor(k / 4));
    const columns = [x.map(() => 1), x, x.map((value) => value * value)];
    const estimates = {
      values: x.slice(0, 9),
      standardErrors: y.slice(0, 9).map((value) => 0.2 + Math.abs(value) / 5),
    };
    const holes = {
      ...estimates,
      values: estimates.values.map((value, k) => (k === 2 ? Number.NaN : value)),
    };
    const seen = new Map(
      Array.from({ length: 21 }, (_, k) => [k - 10, Math.round(400 * Math.exp(-((k - 9) ** 2) / 30))]),
    );
    const missing = new Map([...seen].filter(([code]) => code !== 1));
    return {
      fits: [
        fitLinear(columns, y, { floor: 1e-3 }),
        fitLinear(columns, y, { floor: 1, groups }),
        fitLinear(columns, y, { floor: 1e-3, groups }),
      ],
      few: [
        fitLinear(columns, y.slice(0, 5), { floor: 1 }) ?? 'none',
        fitLinear([x, x], y, { floor: 1 }) ?? 'none',
        fitLinear([x.map(() => 0)], y, { floor: 1 }) ?? 'none',
      ],
      summaries: [
        summarize(estimates, 0),
        summarize(holes, 1),
        summarize({ values: x.slice(0, 1), standardErrors: y.slice(0, 1) }, 0),
      ],
      profile: [0, 0.2, 0.5, 1].map((nominal) => [
        isReal(estimates, nominal),
        spreadPpm(holes, 1, 1e-4),
        meanPpm({ ...estimates, values: estimates.values.map((value) => value * 1e-3) }),
      ]),
      own: [
        realDeviation(x.map((value) => value * value)),
        realDeviation(x.map((value) => value - 0.1)),
        realDeviation(x.map(() => 0.3)),
      ],
      integers: integers(x, 9, (value) => value * 3, 4),
      histograms: [judge(seen), judge(missing), judge(new Map([[5, 40]]))],
    };
  },
  'part-learning': async (lab) => {
    const quartic = (bend: number) => {
      const loss = ([x]: Float64Array) => bend * x ** 4 - x * x + 0.1 * x;
      return {
        loss,
        lossAndGradient: (at: Float64Array) => ({
          loss: loss(at),
          gradient: at.map((x) => 4 * bend * x ** 3 - 2 * x + 0.1),
        }),
      };
    };
    const searched = (bend: number, from: number, along: number, length: number) => {
      const trial = quartic(bend);
      const parameters = Float64Array.of(from);
      return (
        lineSearch(
          trial,
          { parameters, ...trial.lossAndGradient(parameters) },
          Float64Array.of(along),
          length,
        ) ?? 'none'
      );
    };
    const cliff = {
      loss: ([x]: Float64Array) => (x > 1 ? Number.NaN : -x),
      lossAndGradient: ([x]: Float64Array) => ({
        loss: x > 1 ? Number.NaN : -x,
        gradient: Float64Array.of(-1),
      }),
    };
    const start = { parameters: Float64Array.of(0), loss: 0, gradient: Float64Array.of(-1) };
    const shape = { sites: 6, hidden: 6 };
    const at = normalVector(problemRandom(882), 48).map((value) => 0.1 * value);
    const reweighted = Array.from({ length: 16 }, (_, k) => {
      const model = isingModel(6, 1);
      const chains = chainsAt(shape, at, startChains(model, 30, 5));
      return reweightedEnergy(
        model,
        shape,
        chains,
        at,
        at.map((value, i) => value + 0.04 * k * Math.cos(i)),
      );
    });
    const examples = noiseExamples(11, 2, 3, 883);
    const batches = planBatches(examples, 3, 3, 7);
    const labels = Array.from({ length: batches.totalSteps }, (_, step) =>
      Array.from(batches.batchOf(step).inputs),
    );
    return {
      searches: [
        ...[0.01, 0.2, 1, 5, 300].map((length) => searched(0.3, 0.2, 1, length)),
        ...[1e-3, 0.5, 40].map((length) => searched(2, -3, 1, length)),
        searched(0.3, 0.2, -1, 1),
        lineSearch(cliff, start, Float64Array.of(1), 4) ?? 'none',
      ],
      reweighted,
      starts: [startChains(heisenbergModel(6), 4, 9), startChains(isingModel(6, 1), 4, 9)],
      labels,
      refused: [
        await lab.refused(() => planBatches(examples, 12, 1, 7)),
        await lab.refused(() => planBatches(examples, 3, 2 ** 31, 7)),
      ],
      rates: [0, 3, 9].map((step) => [
        rateAt({ rate: 0.5 }, request({ step })),
        rateAt({ rate: 0.5, finalRate: 0.2 }, request({ step })),
        dampingAt({ damping: 3 }, { step, totalSteps: 10 }),
        dampingAt({ damping: 3, finalDamping: 0.1 }, { step, totalSteps: 10 }),
      ]),
      steps: [0.1, 1, Infinity].map((clip) => applyStep(request(), vector(30), 0.3, clip)),
    };
  },
  'part-programs': async () => {
    const program = {
      hessian: rowsOf([4, 1], [1, 2]),
      linear: Float64Array.of(1, -3),
      constraints: rowsOf([1, 1], [1, 0], [0, 1e3]),
      lower: Float64Array.of(0.5, 0, -Infinity),
      upper: Float64Array.of(0.5, Infinity, 900),
    };
    const points = [vector(2), vector(2, 884).map((value) => 10 * value)].map((x) => ({
      x,
      y: vector(3, 885),
    }));
    const apart = {
      ...program,
      constraints: rowsOf([1, 1], [1, 1], [0, 1]),
      lower: Float64Array.of(1, -Infinity, 0),
      upper: Float64Array.of(Infinity, -1, 1),
    };
    const flat = {
      ...program,
      hessian: rowsOf([1, 0], [0, 0]),
      linear: Float64Array.of(0, -1),
      constraints: rowsOf([1, 0]),
      lower: Float64Array.of(-1),
      upper: Float64Array.of(1),
    };
    const shares = [0, 1e-9, 1e-6, 1e-4, 1e-3, 1e-2, 0.1, 0.5];
    return {
      residuals: points.map((point) => [kktResiduals(program, point), worstOf(kktResiduals(program, point))]),
      nan: worstOf({ primal: Number.NaN, dual: 0, gap: 0 }),
      scaled: ruizScaled(program),
      primal: shares.map(
        (share) => primalCertificate(apart, Float64Array.of(-1, 1 + share, share / 3)) ?? 'none',
      ),
      dual: shares.map((share) => dualCertificate(flat, Float64Array.of(share, 1)) ?? 'none'),
    };
  },
  'part-determinants': async (lab) => {
    const checked = checkSystem(problem(4, 20).system);
    const identity = identityOf(lab, 'ideal-8');
    const { dampings, readings } = planSweep(identity, checked.evened, undefined, 3000);
    const work = (seed: number) => vector(40, seed).map((value) => value + 0.4);
    return {
      ...{ dampings, readings },
      quadrature: quadratureOf([0, 0.1, 0.15, 0.3, 1, 4], 0.7),
      heads: [problem(4, 20).system, factored(6, 4, 0.3)].map((system) =>
        headOf(system, 90, 21, Float64Array.of(1, 1.1, 0.9, 1)),
      ),
      bennett: [bennettDifference(work(886), work(887)), bennettDifference(work(886), work(888).slice(0, 9))],
    };
  },
  'part-rollouts': async () => {
    const plant = {
      stateMatrix: rowsOf([0.9, 0.3], [-0.1, 0.8]),
      inputMatrix: rowsOf([0.1, 0], [0.5, 0.2]),
      stateCost: rowsOf([1, 0.1], [0.1, 0.5]),
      inputCost: rowsOf([0.3, 0], [0, 2]),
    };
    const gains = [rowsOf([0.1, 0.2], [0, 0.1]), rowsOf([-9, 0], [0, 4])];
    return gains.map((gain) => [
      rolloutCost(plant, gain),
      ...(gain === gains[0] ? [measuredGradient(plant, gain), visitedStates(plant, gain, 7)] : []),
    ]);
  },
};
