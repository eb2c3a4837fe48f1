import type { Chart } from '../../../plot/chart.js';
import { figure } from '../../../plot/figure.js';
import { lineChart } from '../../../plot/line-chart.js';
import type { Series } from '../../../plot/series.js';
import { type MethodResult, spreadOf, type TaskResult } from './study-results.js';

const ERROR_AXIS = { label: 'error', scale: 'log' } as const;

/** The error of every method of a task over its steps, and in the end for every seed. */
export function taskFigure(task: TaskResult, logSteps: boolean): string {
  return figure([stepsChart(task, logSteps), seedsChart(task)], { title: task.title });
}

function stepsChart({ methods }: TaskResult, logSteps: boolean): Chart {
  return lineChart({
    title: 'Error over the steps',
    subtitle: 'strong: geometric mean over the seeds; pale: each seed',
    x: { label: 'step', ...(logSteps ? { scale: 'log' as const } : {}) },
    y: ERROR_AXIS,
    series: methods.flatMap((method) => [
      ...method.trainings.map(({ curve }): Series => ({ name: method.name, points: curve, faint: true })),
      { name: method.name, points: meanCurve(method) },
    ]),
    plotHeightPx: 320,
  });
}

/** The geometric mean over the seeds, at the steps at which all of them were tested. */
function meanCurve({ trainings }: MethodResult): Series['points'] {
  const [first, ...others] = trainings;
  return first.curve.flatMap(([step, error]) => {
    const errors = others.map(({ curve }) => curve.find(([tested]) => tested === step)?.[1]);
    if (errors.includes(undefined)) return [];
    return [[step, spreadOf([error, ...(errors as number[])]).geometricMean] as const];
  });
}

function seedsChart({ methods }: TaskResult): Chart {
  return lineChart({
    title: 'Error in the end, by seed',
    subtitle: 'lines that cross say that the seeds differ more than the methods',
    x: { label: 'seed', format: (seed) => (Number.isInteger(seed) ? String(seed) : '') },
    y: ERROR_AXIS,
    series: methods.map(({ name, trainings }) => ({
      name,
      points: trainings.flatMap(({ seed, error }) => (error === null ? [] : [[seed, error] as const])),
    })),
  });
}
