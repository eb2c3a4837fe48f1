import { join } from 'node:path';
import { replaceFile } from '../../../files/replace-file.js';
import { readCheckpoint } from '../../../learning/checkpoint.js';
import type { DrawnLine, Equation, Points } from '../../../learning/pinn/equation.js';
import type { PinnProblem } from '../../../learning/pinn/pinn-problem.js';
import type { Figures, NoFigures } from '../../../learning/problem/contract.js';
import type { StepRecord, TrainingSummary } from '../../../learning/record.js';
import { TRAINING_FILES } from '../../../learning/training-files.js';
import { formatNumber } from '../../../number-text.js';
import type { Chart } from '../../../plot/chart.js';
import { figure } from '../../../plot/figure.js';
import { lineChart } from '../../../plot/line-chart.js';
import { timeChart } from './time-chart.js';
import { readRecords } from './training-figure.js';

/** Points of each curve of a solution. */
const CURVE_POINTS = 101;

/**
 * Draws curves.svg of the training in `directory`. It shows error and loss over the steps, the solution
 * beside the known solution, their difference, and the parts of the time of a step. Errors: BAD_FILE.
 */
export function writePinnFigure(
  directory: string,
  name: string,
  problem: PinnProblem,
  summary: TrainingSummary<Figures>,
): void {
  const records = readRecords<StepRecord<NoFigures>>(directory);
  const { parameters } = readCheckpoint(join(directory, TRAINING_FILES.checkpoint));
  const charts = [...courseCharts(name, records), ...solutionCharts(problem, parameters)];
  const title = `${equationTitle(problem.equation)}: a network trained with ${name}`;
  replaceFile(
    join(directory, TRAINING_FILES.curves),
    figure([...charts, timeChart([{ name, summary }])], { title }),
  );
}

/** The equation as a person names it. */
function equationTitle({ name, dimensions }: Equation): string {
  if (name === 'heat') return 'Heat equation';
  if (name === 'burgers') return 'Burgers equation';
  return `Poisson equation, ${dimensions} dimensions`;
}

function courseCharts(name: string, records: readonly StepRecord<NoFigures>[]): Chart[] {
  const tested = records.flatMap(({ step, test }) => {
    const error = test?.['relativeError'];
    return error === undefined ? [] : [[step + 1, error] as const];
  });
  return [
    lineChart({
      title: 'Relative error of the solution',
      subtitle: '‖u − u*‖ / ‖u*‖ at points that no step saw; u* is the known solution',
      x: { label: 'step' },
      y: { label: 'relative error', scale: 'log' },
      series: [{ name, points: tested }],
    }),
    lineChart({
      title: 'Loss',
      subtitle: 'half the squared residuals of the equation and of the boundary',
      x: { label: 'step' },
      y: { label: 'loss', scale: 'log' },
      series: [{ name, points: records.map(({ step, loss }) => [step + 1, loss] as const) }],
    }),
  ];
}

function solutionCharts(problem: PinnProblem, parameters: Float64Array): Chart[] {
  const { equation } = problem;
  const curves = equation.drawnLines.map((line) => {
    const points = pointsOn(line, equation);
    const places = axisOf(line, equation);
    const found = problem.values(parameters, points);
    const known = found.map((_, i) => equation.exact(points.coordinates, i * equation.dimensions));
    return { name: line.name, places, found, known };
  });
  const x = { label: equation.lineAxis };
  const largest = Math.max(
    ...curves.flatMap(({ found, known }) => [...found].map((value, i) => Math.abs(value - known[i]))),
  );
  return [
    lineChart({
      title: 'The solution',
      subtitle: 'of the network, and in pale colour the known solution',
      x,
      y: { label: 'u' },
      series: curves.flatMap(({ name, places, found, known }) => [
        { name, points: places.map((place, i) => [place, found[i]] as const) },
        { name, faint: true, points: places.map((place, i) => [place, known[i]] as const) },
      ]),
    }),
    lineChart({
      title: 'Its error',
      subtitle: `u − u*, at most ${formatNumber(largest)} along these lines`,
      x,
      y: { label: 'u − u*' },
      series: curves.map(({ name, places, found, known }) => ({
        name,
        points: places.map((place, i) => [place, found[i] - known[i]] as const),
      })),
    }),
  ];
}

function pointsOn({ from, to }: DrawnLine, { dimensions }: Equation): Points {
  const coordinates = new Float64Array(CURVE_POINTS * dimensions);
  for (let i = 0; i < CURVE_POINTS; i++)
    for (let k = 0; k < dimensions; k++)
      coordinates[i * dimensions + k] = from[k] + ((to[k] - from[k]) * i) / (CURVE_POINTS - 1);
  return { count: CURVE_POINTS, coordinates };
}

/** The coordinate that changes along a line; the first one if several change. */
function axisOf({ from, to }: DrawnLine, { dimensions }: Equation): number[] {
  const moving = Array.from({ length: dimensions }, (_, k) => k).find((k) => from[k] !== to[k]) ?? 0;
  return Array.from(
    { length: CURVE_POINTS },
    (_, i) => from[moving] + ((to[moving] - from[moving]) * i) / (CURVE_POINTS - 1),
  );
}
