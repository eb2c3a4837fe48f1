import type { InverseSolver, RelaxationSolver, TruncatedSolver } from '../../algorithms/contract.js';
import { badArgument, checkObject, checkOptionalFlag } from '../../argument-checks.js';
import { ThermolinkError } from '../../errors.js';
import { formatNumber } from '../../number-text.js';
import { adam, rmsprop } from './adam.js';
import { cg } from './cg.js';
import type { Optimizer } from './contract.js';
import { kfac } from './kfac.js';
import type { Blocks } from './layer-blocks.js';
import { levenbergMarquardt, RECYCLE_MAX } from './levenberg-marquardt.js';
import { ngd } from './ngd.js';
import { quasiNewton } from './quasi-newton.js';
import {
  BLOCKS,
  hasOption,
  INITIAL_POLICIES,
  OPTIMIZER_DEFAULTS,
  OPTIMIZER_NAMES,
  type OptimizerName,
  type OptimizerOptions,
  TRUNCATED_DEFAULTS,
} from './registry.js';
import type { InitialPolicy } from './relaxation.js';
import { sgd, signSgd } from './sgd.js';
import { tngd } from './tngd.js';
import { tngdAdam } from './tngd-adam.js';
import { truncatedTngd } from './truncated-tngd.js';

/**
 * Largest λt of a relaxation. At this time the effect of the start has fallen to e⁻⁴⁰, less than float64
 * resolves. A longer time would only cost board time.
 */
const DECAY_MAX = 40;

/** The allowed values of each option: a test, and its description in words. */
const POSITIVE = { test: (value: number) => value > 0 && value < Infinity, words: 'a number above 0' };
const NOT_NEGATIVE = {
  test: (value: number) => value >= 0 && value < Infinity,
  words: 'a number of at least 0',
};
const COUNT = {
  test: (value: number) => Number.isSafeInteger(value) && value >= 1,
  words: 'a whole number of at least 1',
};
const FRACTION = { test: (value: number) => value >= 0 && value < 1, words: 'at least 0 and below 1' };
const RANGES: Record<
  Exclude<keyof OptimizerOptions, 'initial' | 'blocks' | 'asynchronous'>,
  typeof POSITIVE
> = {
  rate: POSITIVE,
  finalRate: { test: (value) => value >= 0 && value <= 1, words: 'a number from 0 to 1' },
  ticks: COUNT,
  runs: COUNT,
  products: COUNT,
  memory: COUNT,
  rank: {
    test: (value) => Number.isSafeInteger(value) && value >= 0,
    words: 'a whole number of at least 0',
  },
  recycle: {
    test: (value) => Number.isSafeInteger(value) && value >= 0 && value <= RECYCLE_MAX,
    words: `a whole number from 0 to ${RECYCLE_MAX}`,
  },
  firstDamping: POSITIVE,
  finalDamping: { test: (value) => value > 0 && value <= 1, words: 'a number above 0 and at most 1' },
  dampingMin: POSITIVE,
  average: FRACTION,
  reload: COUNT,
  klClip: POSITIVE,
  tolerance: {
    test: (value) => value > 0 && value < 1,
    words: 'a number above 0 and below 1',
  },
  momentum: FRACTION,
  beta1: FRACTION,
  beta2: FRACTION,
  damping: NOT_NEGATIVE,
  time: NOT_NEGATIVE,
  delay: NOT_NEGATIVE,
  clip: { test: (value) => value > 0, words: 'a number above 0, or Infinity for no bound' },
};

const OPTION_NAMES = ['initial', 'blocks', 'asynchronous', ...Object.keys(RANGES)];

/**
 * The checked settings of an optimizer, with defaults for missing options. No solver is needed.
 *
 * Errors: BAD_ARGUMENT for an unknown optimizer, an option outside its range, an option that this optimizer
 * does not have, a relaxation that would never change a parameter, and a time or delay t with λt > 40. A
 * relaxation with time 0 and initial `zero` never changes a parameter, because the board still holds zeros
 * when it is read. `keep` with time 0 starts from zero too; only a delay makes its state change. Beyond λt =
 * 40 the board has already reached the equilibrium.
 */
export function optimizerSettings(
  name: OptimizerName,
  options: OptimizerOptions = {},
): Required<OptimizerOptions> {
  if (!OPTIMIZER_NAMES.includes(name))
    throw badArgument('The optimizer', name, `one of ${OPTIMIZER_NAMES.join(', ')}`);
  checkObject('options', options, '{ rate: 0.1 }');
  const isTruncated = name === 'tngd' && options.ticks !== undefined;
  const defaults: OptimizerOptions = isTruncated ? TRUNCATED_DEFAULTS : OPTIMIZER_DEFAULTS[name];
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const label = isTruncated ? `${name} with ticks` : name;
  for (const [option, value] of given) {
    if (!hasOption(name, option, isTruncated)) {
      const others = OPTION_NAMES.filter((other) => hasOption(name, other, isTruncated));
      if (name === 'tngd' && hasOption(name, option, !isTruncated))
        throw badOption(
          `tngd has the option ${option} only ${isTruncated ? 'without' : 'with'} ticks.`,
          isTruncated ? 'Leave `ticks` out.' : 'Give `ticks` too.',
        );
      throw badOption(`${label} has no option ${option}.`, `Its options are ${others.join(', ')}.`);
    }
    checkOption(option as keyof OptimizerOptions, value);
  }
  // Options that a later version added have no default here. The settings of earlier trainings therefore stay
  // equal.
  const settings = { ...defaults, ...Object.fromEntries(given) } as never as Required<OptimizerOptions>;
  if (isTruncated) return settings;
  if (name === 'ngd' && settings.damping === 0)
    throw badOption('Exact natural gradient descent needs a damping above 0.');
  if (name === 'ngd' && settings.reload !== undefined && settings.average === undefined)
    throw badOption(
      'The option reload of ngd is for a curvature that is averaged over batches.',
      'Give `average` too: 0 takes the curvature of the last batch alone.',
    );
  if (name === 'kfac' && settings.damping === 0)
    throw badOption('K-FAC needs a damping above 0; without it its factors may have no inverse.');
  if (settings.delay > 0 && settings.initial !== 'keep')
    throw badOption(
      'A delay has no effect unless the state is kept between steps.',
      "Use `initial: 'keep'` with it.",
    );
  if (settings.time === 0 && settings.initial !== 'gradient' && settings.delay === 0)
    throw badOption(
      `With time 0 and initial '${settings.initial}' the board stays at zero, and no step changes any parameter.`,
      "Choose a time above 0, or initial 'gradient' for plain gradient descent.",
    );
  for (const option of ['time', 'delay'] as const) refuseBeyondEquilibrium(option, settings);
  return settings;
}

function refuseBeyondEquilibrium(option: 'time' | 'delay', settings: Required<OptimizerOptions>): void {
  const { damping, [option]: time } = settings;
  if (!(time * damping > DECAY_MAX)) return;
  const timeMax = formatNumber(Math.floor(DECAY_MAX / damping));
  throw badOption(
    `A ${option} of ${formatNumber(time)} lasts longer than the relaxation to the equilibrium: with a damping of ${formatNumber(damping)} nothing changes after ${timeMax}.`,
    `Choose a ${option} of at most ${timeMax}, or the optimizer ngd, which computes the equilibrium.`,
  );
}

/**
 * Makes an optimizer by its name, with defaults for missing options. tngd and tngd-adam need a solver that
 * relaxes; tngd with `ticks` and lm need a solver with truncated solves; kfac needs a solver that inverts.
 * Errors: those of `optimizerSettings`; BAD_ARGUMENT if the solver is missing; UNSUPPORTED for a solver that
 * lacks the needed operation.
 */
export function createOptimizer(
  name: OptimizerName,
  options: OptimizerOptions = {},
  solver?: RelaxationSolver | TruncatedSolver | InverseSolver,
): Optimizer {
  const settings = optimizerSettings(name, options);
  if (name === 'sgd') return sgd(settings);
  if (name === 'adam') return adam(settings);
  if (name === 'rmsprop') return rmsprop(settings);
  if (name === 'sign-sgd') return signSgd(settings);
  if (name === 'ngd') return ngd(settings);
  if (name === 'cg') return cg(settings);
  if (name === 'lbfgs' || name === 'bfgs') return quasiNewton(name, settings);
  if (solver === undefined)
    throw badOption(
      `${name} needs a solver: a board, an emulated board or the ideal sampler.`,
      "Pass one as third argument: createAnalogSolver(await connect('emulator:ideal-crossbar')).",
    );
  checkObject('solver', solver, 'createAnalogSolver(device)');
  if (name === 'kfac') {
    if ('invert' in solver) return kfac(solver, settings);
  } else if (options.ticks !== undefined || name === 'lm') {
    if ('truncated' in solver)
      return name === 'lm' ? levenbergMarquardt(solver, settings) : truncatedTngd(solver, settings);
    if ('relax' in solver || 'solve' in solver)
      throw new ThermolinkError('UNSUPPORTED', `${name} with ticks can't run on this solver.`, {
        hint: 'Use a board, or createNoSolver() as its control.',
      });
  } else if ('relax' in solver && typeof solver.relax === 'function') {
    refuseIdleBoards(solver, options.blocks);
    return name === 'tngd' ? tngd(solver, settings) : tngdAdam(solver, settings);
  }
  if ('solve' in solver)
    throw new ThermolinkError(
      'UNSUPPORTED',
      `${name} can't run on this solver: it computes only the equilibrium.`,
      { hint: 'Use the ideal sampler or a board.' },
    );
  throw badArgument('solver', solver, 'a solver, such as createAnalogSolver(device)');
}

/** Only a curvature in layers can use several boards. Errors: BAD_ARGUMENT. */
function refuseIdleBoards({ boards = [] }: RelaxationSolver, blocks: Blocks | undefined): void {
  if (boards.length < 2 || blocks === 'layers') return;
  throw new ThermolinkError('BAD_ARGUMENT', `${boards.length} boards need \`blocks: 'layers'\`.`, {
    hint: 'A whole curvature uses only one board. Cut it into layers, or pass one board.',
    data: { boards: boards.length },
  });
}

function checkOption(option: keyof OptimizerOptions, value: unknown): void {
  if (option === 'asynchronous') {
    checkOptionalFlag(option, value);
    return;
  }
  if (option === 'blocks') {
    if (!BLOCKS.includes(value as Blocks)) throw badArgument('blocks', value, `one of ${BLOCKS.join(', ')}`);
    return;
  }
  if (option === 'initial') {
    if (!INITIAL_POLICIES.includes(value as InitialPolicy))
      throw badOption(
        `${String(value)} is no starting point of a relaxation.`,
        'Use keep, gradient or zero.',
      );
    return;
  }
  const { test, words } = RANGES[option];
  if (typeof value !== 'number' || !test(value)) throw badArgument(option, value, words);
}

function badOption(message: string, hint?: string): ThermolinkError {
  return new ThermolinkError('BAD_ARGUMENT', message, hint === undefined ? {} : { hint });
}
