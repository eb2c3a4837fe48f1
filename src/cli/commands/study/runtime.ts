import { createAnalogSolver } from '../../../algorithms/board-solver.js';
import { createExactSolver } from '../../../algorithms/truncated.js';
import type { Dataset, ExampleSet } from '../../../learning/data/dataset.js';
import { createMlp } from '../../../learning/network/mlp.js';
import { createOptimizer } from '../../../learning/optimizers/create.js';
import type { OptimizerName, OptimizerOptions } from '../../../learning/optimizers/registry.js';
import { poissonPinn } from '../../../learning/pinn/pinn-problem.js';
import type { StepRecord } from '../../../learning/record.js';
import { CURVATURE_EXAMPLES_DEFAULT } from '../../../learning/train-request.js';
import { train } from '../../../learning/trainer.js';
import { RANDOM_STREAM, randomSource } from '../../../linalg/random.js';
import { formatBytes, formatNumber, formatSeconds } from '../../../number-text.js';
import { lineChart } from '../../../plot/line-chart.js';
import { option } from '../../options/option.js';
import { positiveNumber, wholeNumber } from '../../options/values.js';
import { hostWorkMs } from './digits.js';
import { runProblemOnce } from './problem-run.js';
import {
  bytesOrDash,
  curvesOf,
  groupsOf,
  logSlope,
  meanAt,
  secondsOrDash,
  spreadOver,
} from './table/groups.js';
import { tableCommand } from './table/table-command.js';
import type {
  Claim,
  FactorShape,
  Lab,
  Measured,
  PlannedRun,
  Scale,
  StudyOptions,
  TableRun,
  TableStudy,
  TextTable,
} from './table/table-study.js';

const PARAMETERS = 'parameters';
const OUTPUTS = 'outputs';
const EQUATION = 'equation';
const SIDE = 8;
const BATCH = 32;
const CLASSES = 10;
const STEPS = 14;
/** Number of first steps whose time is ignored, because the JavaScript engine compiles during them. */
const WARM_UP = 4;

const CLASSIFIER_METHODS: Readonly<Record<string, { name: OptimizerName; options: OptimizerOptions }>> = {
  tngd: { name: 'tngd', options: {} },
  'tngd-adam': { name: 'tngd-adam', options: {} },
  ngd: { name: 'ngd', options: {} },
  'cg(10)': { name: 'cg', options: { products: 10 } },
  adam: { name: 'adam', options: {} },
  rmsprop: { name: 'rmsprop', options: {} },
  sgd: { name: 'sgd', options: {} },
  'sign-sgd': { name: 'sign-sgd', options: {} },
};
const EQUATION_METHODS = ['lm, board', 'lm, exact', 'lbfgs', 'bfgs', 'adam'] as const;

/** The links of the cost model: name, and speed in bytes/s. */
const LINKS = [
  ['USB 2, 40 MB/s', 40e6],
  ['1 Gb/s', 125e6],
  ['10 Gb/s', 1.25e9],
  ['50 Gb/s, the paper', 6.25e9],
] as const;
const FASTEST = LINKS.at(-1)![1];
/** The width of the couplings in bits, and RC in seconds, with which the figures were measured. */
const MEASURED = { bits: 8, rc: 1e-6 } as const;
/** The least factors at which the claim “about 100 times faster” holds, and holds in part. */
const FASTER = { holds: 70, inPart: 30 } as const;
/** The claim “about twice as long as one of Adam” holds below this factor. */
const LIKE_ADAM = 3;

const sizesOf = (quick: boolean): readonly number[] => (quick ? [500, 2000] : [500, 1000, 2000, 4000, 8000]);
const outputsOf = (quick: boolean): readonly number[] => (quick ? [5, 10] : [5, 10, 20, 40]);
/** Number of parameters of the classifiers whose number of outputs is varied. */
const parametersOf = (quick: boolean): number => (quick ? 1000 : 4000);

/** The size of the factor of the curvature, for each classifier. */
function shapes({ quick }: Scale): FactorShape[] {
  const shape = (parameters: number, classes: number): FactorShape => ({
    parameterCount: networkOf(parameters, classes).parameterCount,
    curvatureRows: CURVATURE_EXAMPLES_DEFAULT * classes,
  });
  return [
    ...sizesOf(quick).map((N) => shape(N, CLASSES)),
    ...outputsOf(quick).map((outputs) => shape(parametersOf(quick), outputs)),
  ];
}

function runsOf({ quick, seeds }: Scale): PlannedRun[] {
  const sizes = sizesOf(quick);
  const outputs = outputsOf(quick);
  const hidden = quick ? [8, 16] : [16, 32, 64];
  const methods = Object.keys(CLASSIFIER_METHODS);
  return seeds.flatMap((seed) => [
    ...sizes.flatMap((N) =>
      methods.map((method) => ({ part: PARAMETERS, settings: { method, N }, seed, cost: N / 1000 })),
    ),
    ...outputs.flatMap((count) =>
      methods.map((method) => ({
        ...{ part: OUTPUTS, settings: { method, outputs: count }, seed, cost: count / 10 },
      })),
    ),
    ...hidden.flatMap((width) =>
      EQUATION_METHODS.map((method) => ({
        ...{ part: EQUATION, settings: { method, N: width * 7 + 1 }, seed, cost: width / 8 },
      })),
    ),
  ]);
}

function measure(run: PlannedRun, lab: Lab, { quick }: Scale): Promise<Measured> {
  if (run.part === EQUATION) return measureEquation(run, lab);
  const { settings } = run;
  const outputs = Number(settings['outputs'] ?? CLASSES);
  const parameters = Number(settings['N'] ?? parametersOf(quick));
  return measureClassifier(run, lab, parameters, outputs);
}

/**
 * Trains a multilayer perceptron on random examples. The host work is that of the fastest step after the
 * first `WARM_UP` steps. Board time and uploaded bytes are means over all steps.
 */
async function measureClassifier(
  { settings, seed }: PlannedRun,
  lab: Lab,
  parameters: number,
  classes: number,
): Promise<Measured> {
  const { name, options } = CLASSIFIER_METHODS[String(settings['method'])];
  const solver = name.startsWith('tngd') ? createAnalogSolver(await lab.board()) : undefined;
  const records: StepRecord[] = [];
  const { summary } = await train({
    network: networkOf(parameters, classes),
    data: randomExamples(BATCH * STEPS, classes, seed),
    optimizer: createOptimizer(name, options, solver),
    ...{ epochs: 1, batch: BATCH, seed, signal: lab.signal, onStep: (record) => records.push(record) },
  });
  const work = records.slice(WARM_UP).map(({ timing }) => hostWorkMs(timing));
  return {
    figures: {
      actualN: summary.parameterCount,
      boardSeconds: summary.boardSeconds / STEPS,
      uploadBytes: summary.uploadBytes / STEPS,
    },
    timing: { hostWorkSeconds: Math.min(...work) / 1000 },
  };
}

/** A multilayer perceptron with about this number of parameters. */
function networkOf(parameters: number, classes: number) {
  const inputCount = SIDE * SIDE;
  const width = Math.max(1, Math.round((parameters - classes) / (inputCount + 1 + classes)));
  return createMlp({ inputCount, hidden: [width], classes });
}

/** Images of noise with random labels. Every class occurs. */
function randomExamples(count: number, classes: number, seed: number): Dataset {
  const random = randomSource({ seed, stream: RANDOM_STREAM.benchProblem });
  const set = (size: number): ExampleSet => ({
    count: size,
    inputs: Float32Array.from({ length: size * SIDE * SIDE }, () => random.uniform()),
    labels: Uint8Array.from({ length: size }, (_, i) => i % classes),
  });
  const shape = { name: 'noise', rows: SIDE, columns: SIDE, classes };
  return { ...shape, train: set(count), test: set(classes), digest: `noise of seed ${seed}` };
}

/**
 * Trains a network that solves a Poisson equation in five dimensions. The host work is that of the fastest
 * step. Board time and uploaded bytes are means over all steps.
 */
async function measureEquation({ settings, seed }: PlannedRun, lab: Lab): Promise<Measured> {
  const method = String(settings['method']);
  const usesBoard = method === 'lm, board';
  const isLm = method.startsWith('lm');
  const solver = usesBoard ? createAnalogSolver(await lab.board()) : createExactSolver();
  const { figures, timing } = await runProblemOnce({
    problem: poissonPinn({ dimensions: 5, hidden: [(Number(settings['N']) - 1) / 7] }),
    measure: 'relativeError',
    optimizer: isLm ? 'lm' : (method as OptimizerName),
    options: isLm ? { rank: 16, runs: 2, ticks: 256 } : {},
    ...(isLm ? { solver } : {}),
    ...{ steps: STEPS, seed, signal: lab.signal },
  });
  const { boardSeconds, uploadBytes } = figures;
  return { figures: { boardSeconds, uploadBytes }, timing: timing! };
}

/**
 * The costs of a step in the cost model. Uploaded bytes and board time are converted to the model's width of
 * couplings and RC. The host work is the measured one.
 */
function modelledStep(
  runs: readonly TableRun[],
  settings: { readonly method: string; readonly N: number },
  options: StudyOptions,
) {
  const of = (figure: string): number => meanAt(runs, PARAMETERS, settings, figure);
  const uploadBytes = (of('uploadBytes') * options['bits']) / MEASURED.bits;
  const boardSeconds = (of('boardSeconds') * options['rc']) / MEASURED.rc;
  const secondsOver = (link: number): number => of('hostWorkSeconds') + uploadBytes / link + boardSeconds;
  return { uploadBytes, boardSeconds, secondsOver };
}

function modelTables(runs: readonly TableRun[], options: StudyOptions): TextTable[] {
  const sizes = [...new Set(groupsOf(runs, PARAMETERS).map(({ settings }) => Number(settings['N'])))];
  const links: readonly (readonly [string, number])[] = [
    [`--link ${formatBytes(options['link'])}/s`, options['link']],
    ...LINKS,
  ];
  const largest = Math.max(...sizes);
  return [
    {
      title: `Time of a step by the cost model, ${options['bits']}-bit couplings, RC ${formatSeconds(options['rc'])}, N ${largest}`,
      header: ['method', 'host work, measured', ...links.map(([name]) => name)],
      rows: methodsOf(runs).map((method) => {
        const at = { method, N: largest };
        const { secondsOver } = modelledStep(runs, at, options);
        return [
          method,
          formatSeconds(meanAt(runs, PARAMETERS, at, 'hostWorkSeconds')),
          ...links.map(([, link]) => (method.startsWith('tngd') ? formatSeconds(secondsOver(link)) : '–')),
        ];
      }),
    },
    {
      title: 'Slopes: ln time over ln N, and over ln outputs (host work, measured)',
      header: ['method', 'over N', 'over outputs'],
      rows: methodsOf(runs).map((method) => [
        method,
        formatNumber(slopeOf(runs, PARAMETERS, method, 'N'), 2),
        formatNumber(slopeOf(runs, OUTPUTS, method, 'outputs'), 2),
      ]),
    },
  ];
}

/** The methods that were measured. Stored runs of an older version lack some of the methods. */
const methodsOf = (runs: readonly TableRun[]): string[] =>
  Object.keys(CLASSIFIER_METHODS).filter((method) => groupsOf(runs, PARAMETERS, { method }).length > 0);

function slopeOf(runs: readonly TableRun[], part: string, method: string, x: string): number {
  const points = groupsOf(runs, part, { method }).map(
    (group) => [Number(group.settings[x]), spreadOver(group, 'hostWorkSeconds')!.mean] as const,
  );
  // Only the three largest sizes count: at small sizes, costs that do not depend on the size dominate.
  return logSlope(points.slice(-3));
}

function claimsOf(runs: readonly TableRun[], options: StudyOptions): Claim[] {
  const N = Math.max(...groupsOf(runs, PARAMETERS).map(({ settings }) => Number(settings['N'])));
  const host = (method: string): number => meanAt(runs, PARAMETERS, { method, N }, 'hostWorkSeconds');
  const step = modelledStep(runs, { method: 'tngd', N }, options);
  const [usb, fast] = [step.secondsOver(40e6), step.secondsOver(FASTEST)];
  const { uploadBytes: upload, boardSeconds: board } = step;
  const ratio = (one: number, other: number): string => formatNumber(one / other, 2);
  return [
    {
      claim: 'A step on the board is about 100 times faster than natural gradient on the host.',
      paper:
        'about 100 × faster than NGD, CG and Woodbury at N = 10⁴ … 10⁵, its analog part estimated (arXiv 2405.13817)',
      ours: `At N = ${N}, batch ${BATCH} and curvature of 8 examples, the step over 50 Gb/s takes ${formatSeconds(fast)}; Woodbury ${formatSeconds(host('ngd'))} (× ${ratio(host('ngd'), fast)}), CG(10) ${formatSeconds(host('cg(10)'))} (× ${ratio(host('cg(10)'), fast)}). Over USB 2 it takes ${formatSeconds(usb)}.`,
      how: `holds from × ${FASTER.holds} on, in part from × ${FASTER.inPart} on; host work measured in JavaScript, transfer and board time modelled; the sizes are smaller than the paper’s`,
      verdict:
        host('ngd') / fast >= FASTER.holds
          ? 'holds'
          : host('ngd') / fast >= FASTER.inPart
            ? 'holds in part'
            : host('cg(10)') < usb
              ? 'a digital method wins'
              : 'does not hold',
    },
    {
      claim: 'A step on the board takes about twice as long as one of Adam.',
      paper: 'about 2 × Adam (arXiv 2405.13817)',
      ours: `× ${ratio(fast, host('adam'))} over 50 Gb/s, × ${ratio(usb, host('adam'))} over USB 2, where Adam takes ${formatSeconds(host('adam'))}.`,
      how: `holds below × ${LIKE_ADAM}; measured and modelled as above`,
      verdict: fast / host('adam') < LIKE_ADAM ? 'holds' : 'does not hold',
    },
    {
      claim: 'To load the couplings takes longer than the board runs.',
      paper: '8 ms of upload against 50 µs of analog time (derived from the constants of arXiv 2405.13817)',
      ours: `At N = ${N} a step uploads ${formatBytes(upload)}: ${formatSeconds(upload / 40e6)} over USB 2 and ${formatSeconds(upload / FASTEST)} over 50 Gb/s, where the board runs for ${formatSeconds(board)}.`,
      how: 'bytes and ticks counted, bits and RC as in the cost model, times modelled',
      verdict: upload / FASTEST > board ? 'holds' : upload / 40e6 > board ? 'holds in part' : 'does not hold',
    },
  ];
}

const timeColumns = [
  { figure: 'hostWorkSeconds', title: 'host work', format: formatSeconds },
  { figure: 'boardSeconds', title: 'board, modelled', format: secondsOrDash },
  { figure: 'uploadBytes', title: 'upload', format: bytesOrDash },
];

export const RUNTIME: TableStudy = {
  name: 'runtime',
  title: 'Runtime: the time of a step',
  about: [
    'The host work of a training step is measured for eight optimizers on classifiers and for five methods on equations, with several numbers of parameters N and of outputs. A cost model adds transfer and board time.',
    `Classifiers: a multilayer perceptron on random examples, batch ${BATCH}, curvature of 8 examples. Equations: a Poisson equation in five dimensions, all points.`,
    'K-FAC is not measured: it needs a board with dense couplings, and the board of this study has none.',
  ],
  settingsFrom:
    'Optimizers have their default settings. Other settings would change the time of a step little.',
  modelled:
    'Host work is measured on this machine, without the time of waiting for the emulator. The fastest step counts, so that other work on the machine counts less. Bytes and ticks are counted. The times of the link and of the board are modelled: bytes/link, ticks × h × RC.',
  device: 'emulator:ideal-crossbar',
  options: {
    link: option('--link <bytes/s>', 'speed of the link in the cost model', {
      value: positiveNumber,
      default: 40e6,
    }),
    bits: option('--bits <b>', 'width of the couplings in the cost model, 1 to 32', {
      value: wholeNumber(1, 32),
      default: MEASURED.bits,
    }),
    rc: option('--rc <s>', 'time constant RC in the cost model, in seconds', {
      value: positiveNumber,
      default: MEASURED.rc,
    }),
  },
  shapes,
  alone: 'Its runs measure host times, which are those of this machine.',
  parts: [
    { name: PARAMETERS, title: 'By the number of parameters', columns: timeColumns },
    { name: OUTPUTS, title: 'By the number of outputs', columns: timeColumns },
    { name: EQUATION, title: 'Equations by the number of parameters', columns: timeColumns },
  ],
  runs: runsOf,
  measure,
  charts: (runs) => [
    lineChart({
      title: 'Host work of a step by the number of parameters',
      subtitle: 'classifier; strong: mean over the seeds; pale: each seed',
      x: { label: 'parameters', scale: 'log' },
      y: { label: 'seconds', scale: 'log' },
      series: curvesOf(runs, {
        ...{ part: PARAMETERS, x: 'N', y: 'hostWorkSeconds', nameOf: ({ method }) => String(method) },
      }),
      plotHeightPx: 300,
    }),
    lineChart({
      title: 'Host work of a step by the number of outputs',
      x: { label: 'outputs', scale: 'log' },
      y: { label: 'seconds', scale: 'log' },
      series: curvesOf(runs, {
        ...{ part: OUTPUTS, x: 'outputs', y: 'hostWorkSeconds', nameOf: ({ method }) => String(method) },
      }),
    }),
    lineChart({
      title: 'Host work of a step of an equation by the number of parameters',
      x: { label: 'parameters', scale: 'log' },
      y: { label: 'seconds', scale: 'log' },
      series: curvesOf(runs, {
        ...{ part: EQUATION, x: 'N', y: 'hostWorkSeconds', nameOf: ({ method }) => String(method) },
      }),
    }),
  ],
  modelTables,
  claims: claimsOf,
};

export const command = tableCommand(RUNTIME);
