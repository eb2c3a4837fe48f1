import { basename } from 'node:path';
import { undiscounted } from '../../../algorithms/control/plant.js';
import {
  hostPolicyGradient,
  naturalPolicyGradient,
  type PolicyGradientResult,
} from '../../../algorithms/control/policy-gradient.js';
import { ThermolinkError } from '../../../errors.js';
import { replaceFile } from '../../../files/replace-file.js';
import type { Matrix } from '../../../linalg/matrix.js';
import { solveRiccati } from '../../../linalg/matrix-equations.js';
import { norm2, subtract } from '../../../linalg/products.js';
import { formatBytes, formatNumber, formatSeconds } from '../../../number-text.js';
import { figure } from '../../../plot/figure.js';
import { lineChart } from '../../../plot/line-chart.js';
import { boardCommand, type Worked } from '../../board-command.js';
import { readCalibration } from '../../input/read-calibration.js';
import { PLANTS, readPlant } from '../../input/read-plant.js';
import { CALIBRATION, SEED } from '../../options/groups.js';
import { flag, option, printedAs } from '../../options/option.js';
import { positiveInteger, tolerance as toleranceValue } from '../../options/values.js';
import { boardWarnings, repeatRows } from '../../output/board-warnings.js';
import { formatTable } from '../../output/table.js';

/** Relative distances of the cost from its optimum. The table says how many iterations reach each of them. */
const LEVELS = [1e-1, 1e-2, 1e-3, 1e-5];

/** The methods of the host for comparison, with their largest numbers of iterations. */
const BASELINES = [
  { method: 'plain', name: 'plain gradient', iterationsMax: 3000 },
  { method: 'diagonal', name: 'diagonal scaling', iterationsMax: 500 },
  { method: 'natural', name: 'natural, host', iterationsMax: 60 },
] as const;

export const command = boardCommand({
  options: {
    plant: option('--plant <name>', `the plant: ${PLANTS}`, { default: 'qube', file: 'input' }),
    rows: option('--rows <n>', 'visited states on the crossbar', {
      value: positiveInteger(1_000_000),
      default: 1000,
    }),
    iterationsMax: option('--iterations-max <n>', 'largest number of iterations', {
      value: positiveInteger(1_000_000),
      default: 60,
    }),
    tolerance: option('--tolerance <r>', 'bound on the relative error of each solve', {
      value: toleranceValue,
      default: 0.1,
    }),
    compare: flag(
      '--compare',
      'also use the plain, the diagonally scaled and the natural gradient on the host',
    ),
    plot: option('--plot <file>', 'draw the cost above the optimum, as .svg', {
      file: 'output',
      dash: printedAs('.svg'),
    }),
    ...CALIBRATION,
    ...SEED,
  },
  fallback: 'emulator:ideal-1024',
  example: `
Example:
  thermolink control policy --plant qube --compare

The optimum comes from the Riccati equation of the known plant. If you know A and B, solve that equation on the host: you
need neither a gradient nor a board.`,
  async run(options, onBoard) {
    const { rows, iterationsMax, tolerance, compare, plot, seed } = options;
    const plant = await readPlant(options.plant);
    const { initialGain } = plant;
    if (initialGain === undefined)
      throw new ThermolinkError('BAD_ARGUMENT', 'This plant has no `initialGain`.', {
        hint: 'Give the plant a first gain K with which u = −K x stabilizes it.',
      });
    const optimum = optimumOf(plant);
    const calibration = await readCalibration(options.calibration, options.device);
    const request = { plant, initialGain, rows, tolerance, address: { seed, step: 0, block: 0 } };
    const lines: Line[] = [];
    const worked = await onBoard(
      async (board, { signal, show }) => {
        const showing = (name: string) => (costs: readonly number[]) =>
          show(costs.length - 1, `${name}, ${aboveText(costs, optimum)}`);
        const on = await naturalPolicyGradient(board, {
          ...request,
          iterationsMax,
          calibration,
          signal,
          onProgress: showing('board'),
        });
        if (compare === true)
          for (const { method, name, iterationsMax: most } of BASELINES) {
            const onProgress = (costs: readonly number[]) =>
              show(iterationsMax, `${name}, iteration ${costs.length}`);
            const beside = { ...request, iterationsMax: most, signal, onProgress };
            lines.push({ name, result: await hostPolicyGradient(method, beside) });
          }
        lines.push({ name: 'natural, board', result: on });
        return on;
      },
      { total: iterationsMax },
    );
    if (plot !== undefined) replaceFile(plot, costFigure(options.plant, lines, optimum));
    return {
      json: jsonOf(worked, lines, optimum),
      text: reportText(worked, lines, optimum, plot),
      warnings: boardWarnings({ clampedCodes: worked.result.cost.clampedCodes }),
    };
  },
});

interface Line {
  readonly name: string;
  readonly result: PolicyGradientResult;
}

/** The optimal gain, and tr P with it. */
interface Optimum {
  readonly gain: Matrix;
  readonly cost: number;
}

function optimumOf(plant: Parameters<typeof undiscounted>[0]): Optimum {
  const { stateMatrix, inputMatrix, stateCost, inputCost } = undiscounted(plant);
  const { cost, gain } = solveRiccati(stateMatrix, inputMatrix, stateCost, inputCost);
  let trace = 0;
  for (let i = 0; i < cost.rows; i++) trace += cost.data[i * cost.rows + i];
  if (!(trace < Infinity))
    throw new ThermolinkError('UNSUPPORTED', 'The Riccati equation of this plant has no solution.', {
      hint: 'The plant has an unstable state that no input moves, or that no cost depends on.',
    });
  return { gain, cost: trace };
}

function aboveText(costs: readonly number[], optimum: Optimum): string {
  return `cost ${formatNumber(excessOf(costs, optimum).at(-1) ?? 0, 2)} above the optimum`;
}

function excessOf(costs: readonly number[], optimum: Optimum): number[] {
  return costs.map((cost) => cost / optimum.cost - 1);
}

function iterationsTo(costs: readonly number[], optimum: Optimum): (number | undefined)[] {
  const excess = excessOf(costs, optimum);
  return LEVELS.map((level) => {
    const found = excess.findIndex((one) => one <= level);
    return found < 0 ? undefined : found;
  });
}

const gainError = (gain: Matrix, optimum: Optimum): number =>
  norm2(subtract(gain.data, optimum.gain.data)) / norm2(optimum.gain.data);

function jsonOf(
  { result, device, hostSeconds, repeats }: Worked<PolicyGradientResult>,
  lines: readonly Line[],
  optimum: Optimum,
) {
  const { gain, passes, cost } = result;
  return {
    gain: [...gain.data],
    optimalGain: [...optimum.gain.data],
    optimalCost: optimum.cost,
    levels: LEVELS,
    methods: lines.map(({ name, result: { costs } }) => ({
      name,
      iterations: costs.length - 1,
      iterationsTo: iterationsTo(costs, optimum).map((count) => count ?? null),
      excess: excessOf(costs, optimum),
    })),
    gainError: gainError(gain, optimum),
    passes,
    boardSeconds: cost.boardSeconds,
    uploadBytes: cost.uploadBytes,
    repeats,
    device,
    timing: { hostSeconds },
  };
}

function reportText(
  { result, device, hostSeconds, repeats }: Worked<PolicyGradientResult>,
  lines: readonly Line[],
  optimum: Optimum,
  plot: string | undefined,
): string {
  const table = lines.map(({ name, result: { costs } }) => [
    name,
    ...iterationsTo(costs, optimum).map((count) => (count === undefined ? '–' : String(count))),
    formatNumber(excessOf(costs, optimum).at(-1) ?? 0, 2),
    String(costs.length - 1),
  ]);
  const header = [
    'iterations until the cost is above its optimum by',
    ...LEVELS.map(String),
    'at the end',
    'after',
  ];
  const facts = [
    ['gain K', Array.from(result.gain.data, (entry) => formatNumber(entry, 5)).join(', ')],
    ['error of K against the Riccati optimum', formatNumber(gainError(result.gain, optimum), 2)],
    ['passes of the board', String(result.passes)],
    ['uploaded', formatBytes(result.cost.uploadBytes)],
    ['board time (modelled)', formatSeconds(result.cost.boardSeconds)],
    ...repeatRows({ repeats }),
    ['host time', formatSeconds(hostSeconds)],
    ['device', device],
    ...(plot === undefined ? [] : [['costs', `drawn in ${plot}`]]),
  ];
  const right = [...LEVELS, 0, 0].map(() => 'right' as const);
  return `${formatTable(table, { header, align: ['left', ...right] })}\n${formatTable(facts)}`;
}

/** A smaller excess of the cost, relative to the optimum, is rounding. */
const EXCESS_MIN = 1e-12;

function costFigure(plant: string, lines: readonly Line[], optimum: Optimum): string {
  return figure([
    lineChart({
      title: `Cost above the optimum, ${basename(plant)}`,
      subtitle:
        'relative to the optimum of the Riccati equation; each iteration measures cost and gradient by rollouts',
      x: { label: 'iteration + 1', scale: 'log' },
      y: { label: 'excess of the cost', scale: 'log' },
      series: lines.map(({ name, result: { costs } }) => ({
        name,
        points: excessOf(costs, optimum).map((excess, k) => [k + 1, Math.max(excess, EXCESS_MIN)] as const),
      })),
    }),
  ]);
}
