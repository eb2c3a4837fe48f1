import { basename } from 'node:path';
import {
  exactPredictiveControl,
  type PredictiveControlResult,
  predictiveControl,
} from '../../../algorithms/control/predictive-control.js';
import { ThermolinkError } from '../../../errors.js';
import { replaceFile } from '../../../files/replace-file.js';
import { counted, formatBytes, formatNumber, formatSeconds } from '../../../number-text.js';
import { figure } from '../../../plot/figure.js';
import { lineChart } from '../../../plot/line-chart.js';
import { boardCommand, type Worked } from '../../board-command.js';
import { readCalibration } from '../../input/read-calibration.js';
import { PLANTS, readPlant } from '../../input/read-plant.js';
import { CALIBRATION, SEED } from '../../options/groups.js';
import { option, printedAs } from '../../options/option.js';
import { positiveInteger, tolerance as toleranceValue } from '../../options/values.js';
import { boardWarnings, repeatRows } from '../../output/board-warnings.js';
import { formatTable } from '../../output/table.js';

export const command = boardCommand({
  options: {
    plant: option('--plant <name>', `the plant: ${PLANTS}`, { default: 'qube-down', file: 'input' }),
    horizon: option('--horizon <n>', 'inputs planned ahead', { value: positiveInteger(8192), default: 20 }),
    steps: option('--steps <n>', 'steps of the closed loop', {
      value: positiveInteger(1_000_000),
      default: 200,
    }),
    tolerance: option(
      '--tolerance <r>',
      'largest accepted residual of a plan, as a fraction of the box of input bounds',
      {
        value: toleranceValue,
        default: 1e-5,
      },
    ),
    plot: option('--plot <file>', 'draw inputs and states, as .svg', {
      file: 'output',
      dash: printedAs('.svg'),
    }),
    ...CALIBRATION,
    ...SEED,
  },
  example: `
Example:
  thermolink control mpc --plant qube-down --plot loop.svg

The host runs the same loop with exact plans for comparison. At these sizes the host is faster. The loop on the board shows
that its matrix need not be sent again.`,
  async run(options, onBoard) {
    const { horizon, steps, tolerance, plot, seed } = options;
    const plant = await readPlant(options.plant);
    const { initialState, inputMax } = plant;
    if (initialState === undefined || inputMax === undefined)
      throw new ThermolinkError('BAD_ARGUMENT', 'This plant has no `initialState` or no `inputMax`.', {
        hint: 'Add the state where the loop starts and the bounds of the inputs to the plant.',
      });
    const calibration = await readCalibration(options.calibration, options.device);
    const request = {
      plant,
      initialState,
      inputMax,
      horizon,
      steps,
      tolerance,
      address: { seed, step: 0, block: 0 },
    };
    const start = performance.now();
    const exact = await exactPredictiveControl(request);
    const exactSeconds = (performance.now() - start) / 1000;
    const worked = await onBoard(
      (board, { signal, show }) =>
        predictiveControl(board, {
          ...request,
          calibration,
          signal,
          onProgress: (done) => show(done, 'steps of the loop'),
        }),
      { cells: horizon * inputMax.length, total: steps },
    );
    const { result } = worked;
    const dearer = result.closedLoopCost / exact.closedLoopCost - 1;
    if (plot !== undefined) replaceFile(plot, loopFigure(options.plant, result, exact));
    return {
      json: {
        closedLoopCost: result.closedLoopCost,
        exactCost: exact.closedLoopCost,
        costIncrease: dearer,
        saturatedSteps: result.saturatedSteps,
        residualMax: result.residualMax,
        condition: result.condition,
        levels: result.levels,
        inputs: [...result.inputs.data],
        states: [...result.states.data],
        boardSeconds: result.cost.boardSeconds,
        uploadBytes: result.cost.uploadBytes,
        repeats: worked.repeats,
        device: worked.device,
        timing: { hostSeconds: worked.hostSeconds, exactSeconds },
      },
      text: reportText(worked, steps, dearer, exact.saturatedSteps, exactSeconds, plot),
      warnings: boardWarnings({ clampedCodes: result.cost.clampedCodes }),
    };
  },
});

function reportText(
  { result, device, hostSeconds, repeats }: Worked<PredictiveControlResult>,
  steps: number,
  dearer: number,
  exactSaturated: number,
  exactSeconds: number,
  plot: string | undefined,
): string {
  const { cost } = result;
  return formatTable([
    ['cost of the closed loop', formatNumber(result.closedLoopCost, 6)],
    ['above that of exact plans', `${formatNumber(100 * dearer, 2)} %`],
    ['steps at a bound', `${result.saturatedSteps} of ${steps}; exact plans ${exactSaturated}`],
    ['largest residual of a plan', `${formatNumber(result.residualMax, 2)} of the box`],
    ['condition of the Hessian', `at most ${formatNumber(result.condition, 2)}`],
    ['programs of the board', `${counted(result.levels, 'program')}, ${formatBytes(cost.uploadBytes)}`],
    [
      'board time (modelled)',
      `${formatSeconds(cost.boardSeconds)}, ${formatSeconds(cost.boardSeconds / steps)} a step`,
    ],
    ...repeatRows({ repeats }),
    ['host time', formatSeconds(hostSeconds)],
    ['host time of exact plans', formatSeconds(exactSeconds)],
    ['device', device],
    ...(plot === undefined ? [] : [['loop', `drawn in ${plot}`]]),
  ]);
}

type Loop = Pick<PredictiveControlResult, 'inputs' | 'states'>;

/** Inputs of both loops, and the states of the one on the board. */
function loopFigure(plant: string, board: Loop, exact: Loop): string {
  const columns = ({ rows, columns: width, data }: Loop['inputs'], name: string) =>
    Array.from({ length: width }, (_, j) => ({
      name: width === 1 ? name : `${name} ${j}`,
      points: Array.from({ length: rows }, (__, t) => [t, data[t * width + j]] as const),
    }));
  const dashed = columns(exact.inputs, 'exact').map((series) => ({ ...series, dashed: true }));
  return figure(
    [
      lineChart({
        title: 'Inputs',
        x: { label: 'step' },
        y: { label: 'u' },
        series: [...columns(board.inputs, 'board'), ...dashed],
      }),
      lineChart({
        title: 'States',
        x: { label: 'step' },
        y: { label: 'x' },
        series: columns(board.states, 'x'),
      }),
    ],
    { title: `Predictive control of ${basename(plant)}` },
  );
}
