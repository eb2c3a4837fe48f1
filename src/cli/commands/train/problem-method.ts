import { createExactSolver, createNoSolver } from '../../../algorithms/truncated.js';
import { ThermolinkError } from '../../../errors.js';
import { RECYCLE_MAX } from '../../../learning/optimizers/levenberg-marquardt.js';
import {
  hasOption,
  type OptimizerName,
  type OptimizerOptions,
} from '../../../learning/optimizers/registry.js';
import { BOARD_OPTION_NAMES, deviceOption, LOG, RECORD, RETRY } from '../../options/groups.js';
import { flag, longFlag, type OptionValues, option } from '../../options/option.js';
import {
  choice,
  fractionBelowOne,
  nonNegativeNumber,
  positiveInteger,
  positiveNumber,
  u32,
  wholeNumber,
} from '../../options/values.js';
import { usesBoard } from './inert-options.js';
import { OUTPUT_OPTIONS } from './output-options.js';
import type { Method } from './run-problem.js';
import { TRAINING_DEVICE } from './run-training.js';

/**
 * The optimizers of a problem and the defaults of their options. The first optimizer is the default. `sgd` is
 * the control.
 */
export type ProblemDefaults = { readonly sgd: OptimizerOptions } & {
  readonly [Name in OptimizerName]?: OptimizerOptions;
};

/** The controls that a command line can name instead of an optimizer. */
const PRESETS = ['control', 'no-board', 'exact'] as const;

/** The solver that replaces the board. `control` has none, since it is another optimizer. */
const CONTROLS = {
  control: () => undefined,
  'no-board': createNoSolver,
  exact: createExactSolver,
} as const;

/** The options that name a method, for a problem whose optimizers are `names`. */
function methodNames(names: readonly OptimizerName[]) {
  const [first] = names;
  const onBoard = names.filter(usesBoard).join(' or ');
  return {
    optimizer: option('--optimizer <name>', `one of ${names.join(', ')} (default: ${first})`, {
      value: choice(names),
    }),
    preset: option(
      '--preset <name>',
      `control: sgd with momentum and clip; no-board: ${onBoard} whose board returns its input; ` +
        `exact: ${onBoard} whose board is replaced by a digital solver`,
      { value: choice(PRESETS) },
    ),
  };
}

const RELOADING = { tngd: 'tngd (default: 1)', ngd: 'ngd with --average', kfac: 'kfac' } as const;
const AVERAGING = { tngd: 'tngd (needs a dense board)', ngd: 'ngd', kfac: 'kfac' } as const;
const WITH_MOMENTUM = { sgd: 'sgd', 'sign-sgd': 'sign-sgd', kfac: 'kfac' } as const;

/** Options of a few optimizers. Their help names only optimizers of `names`. */
function sharedOptions(names: readonly string[]) {
  const those = (texts: Readonly<Record<string, string>>): string =>
    Object.keys(texts)
      .filter((name) => names.includes(name))
      .map((name) => texts[name])
      .join(', ');
  return {
    reload: option('--reload <R>', `steps that one curvature serves: ${those(RELOADING)}`, {
      value: positiveInteger(),
    }),
    average: option(
      '--average <f>',
      `share of the running mean of the curvature that is kept when a batch is added: ${those(AVERAGING)}`,
      { value: fractionBelowOne },
    ),
    momentum: option('--momentum <μ>', `momentum of ${those(WITH_MOMENTUM)}, 0 ≤ μ < 1`, {
      value: fractionBelowOne,
    }),
  };
}

const METHOD_OPTIONS = {
  seed: option('--seed <s>', 'seed of parameters, samples and noise, 0 to 2³² − 1', {
    value: u32,
    default: 0,
  }),
  rate: option('--rate <η>', 'initial learning rate', { value: positiveNumber }),
  finalRate: option('--final-rate <f>', 'the rate falls linearly to this share of its first value', {
    value: nonNegativeNumber,
  }),
  damping: option('--damping <λ>', 'added to the curvature', { value: nonNegativeNumber }),
  finalDamping: option('--final-damping <f>', 'λ falls geometrically to this share of its first value', {
    value: positiveNumber,
  }),
  ticks: option('--ticks <n>', 'ticks of a board run', { value: positiveInteger() }),
  runs: option('--runs <k>', 'number of board runs in a step; the host combines them', {
    value: positiveInteger(),
  }),
  ...sharedOptions(['tngd', 'ngd', 'kfac', 'sgd', 'sign-sgd']),
  products: option('--products <c>', 'conjugate directions of a step of cg', { value: positiveInteger() }),
  dampingMin: option('--damping-min <f>', 'smallest λ of lm, as a share of the largest eigenvalue', {
    value: positiveNumber,
  }),
  rank: option('--rank <k>', 'dominant directions of the curvature that the host solves itself', {
    value: u32,
  }),
  recycle: option('--recycle <k>', 'earlier steps that lm uses again as directions', {
    value: wholeNumber(0, RECYCLE_MAX),
  }),
  memory: option('--memory <k>', 'pairs of steps that lbfgs keeps', { value: positiveInteger() }),
  klClip: option('--kl-clip <c>', 'largest predicted change of the loss in a step of kfac', {
    value: positiveNumber,
  }),
  clip: option('--clip <c>', 'longest parameter step in the 2-norm', { value: positiveNumber }),
  chopped: flag(
    '--chopped',
    'repeat every board run with negated drive, so that offsets of the board cancel',
  ),
  testEvery: option('--test-every <k>', 'steps between two tests (default: a 20th of the steps)', {
    value: positiveInteger(),
  }),
  ...OUTPUT_OPTIONS,
  ...deviceOption(TRAINING_DEVICE),
  json: flag('--json', 'print the summary as JSON'),
  ...RETRY,
  ...RECORD,
  ...LOG,
};

type MethodSpecs = ReturnType<typeof methodNames> & typeof METHOD_OPTIONS;
export type MethodOptions = OptionValues<MethodSpecs>;

/** All options for the training of a problem, without those that none of its optimizers has. */
export function methodOptions(defaults: ProblemDefaults): MethodSpecs {
  const names = Object.keys(defaults) as OptimizerName[];
  const has = (field: OptimizerOption): boolean =>
    names.some((name) => hasOption(name, field, defaults[name]?.ticks !== undefined));
  const unused: readonly string[] = OPTIMIZER_OPTIONS.filter((field) => !has(field));
  const specs = Object.entries({ ...methodNames(names), ...METHOD_OPTIONS, ...sharedOptions(names) });
  return Object.fromEntries(specs.filter(([field]) => !unused.includes(field))) as MethodSpecs;
}

const BOARD_OPTIONS = [...BOARD_OPTION_NAMES, 'chopped'] as const;
const OPTIMIZER_OPTIONS = [
  'rate',
  'finalRate',
  'damping',
  'finalDamping',
  'ticks',
  'runs',
  'reload',
  'products',
  'rank',
  'recycle',
  'dampingMin',
  'memory',
  'average',
  'klClip',
  'momentum',
  'clip',
] as const;
type OptimizerOption = (typeof OPTIMIZER_OPTIONS)[number];

/** Errors: BAD_ARGUMENT for options that do nothing with the optimizer. */
export function methodOf(given: MethodOptions, defaults: ProblemDefaults): Method {
  const { preset, optimizer } = given;
  const first = Object.keys(defaults)[0] as OptimizerName;
  const name = preset === 'control' ? 'sgd' : (optimizer ?? first);
  if (optimizer !== undefined && preset === 'control' && optimizer !== name)
    throw usage(`--preset ${preset} is ${name}, not ${optimizer}.`, 'Leave --optimizer out.');
  if (preset !== undefined && preset !== 'control' && !usesBoard(name))
    throw usage(`--preset ${preset} replaces a board, and ${name} uses no board.`, 'Leave --preset out.');
  const onBoard = usesBoard(name) && preset === undefined;
  const own: OptimizerOptions = defaults[name] ?? {};
  const chosenBy = preset === undefined ? `--optimizer ${name}` : `--preset ${preset}`;
  const has = (field: OptimizerOption): boolean => hasOption(name, field, own.ticks !== undefined);
  const isGiven = (field: keyof MethodOptions): boolean => given[field] !== undefined;
  const inert =
    OPTIMIZER_OPTIONS.find((field) => isGiven(field) && !has(field)) ??
    BOARD_OPTIONS.find((field) => isGiven(field) && !onBoard) ??
    (!given.retry && !onBoard ? 'retry' : undefined);
  if (inert !== undefined)
    throw usage(`${longFlag(METHOD_OPTIONS[inert])} does nothing with ${chosenBy}.`, 'Leave it out.');
  const chosen = OPTIMIZER_OPTIONS.filter(isGiven).map((field) => [field, given[field]]);
  const options: OptimizerOptions = { ...own, ...Object.fromEntries(chosen) };
  const digitalSolver = preset === undefined ? undefined : CONTROLS[preset]();
  return {
    label: labelOf(name, preset, first),
    name,
    options,
    usesBoard: onBoard,
    digitalSolver,
    chopped: given.chopped,
  };
}

/**
 * The label of a method: the name of its optimizer, and its preset. A preset of the first optimizer, and
 * `control`, stand alone.
 */
function labelOf(name: OptimizerName, preset: MethodOptions['preset'], first: OptimizerName): string {
  if (preset === undefined) return name;
  return preset === 'control' || name === first ? preset : `${name}, ${preset}`;
}

function usage(message: string, hint: string): ThermolinkError {
  return new ThermolinkError('BAD_ARGUMENT', message, { hint });
}
