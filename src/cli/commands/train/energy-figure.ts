import { join } from 'node:path';
import { replaceFile } from '../../../files/replace-file.js';
import type { Figures } from '../../../learning/problem/contract.js';
import type { EnergyMeasures, VariationalEnergy } from '../../../learning/quantum/variational-energy.js';
import type { StepFacts, StepRecord, TrainingSummary } from '../../../learning/record.js';
import { TRAINING_FILES } from '../../../learning/training-files.js';
import { formatSeconds } from '../../../number-text.js';
import { figure } from '../../../plot/figure.js';
import { lineChart } from '../../../plot/line-chart.js';
import type { Series } from '../../../plot/series.js';
import { timeChart } from './time-chart.js';
import { readRecords } from './training-figure.js';

/** A training of an energy as a figure shows it. */
export interface EnergyTraining {
  readonly name: string;
  readonly records: readonly StepRecord<EnergyMeasures>[];
  readonly summary: TrainingSummary<Figures>;
}

/** Draws curves.svg of the training in `directory`. Errors: BAD_FILE. */
export function writeEnergyFigure(
  directory: string,
  name: string,
  problem: VariationalEnergy,
  summary: TrainingSummary<Figures>,
): void {
  const records = readRecords<StepRecord<EnergyMeasures>>(directory);
  const title = `${problem.name === 'ising' ? 'Ising' : 'Heisenberg'} ring, trained with ${name}`;
  const svg = energiesFigure(title, problem.groundEnergy, [{ name, records, summary }]);
  replaceFile(join(directory, TRAINING_FILES.curves), svg);
}

/** Errors of the energy over steps and over host time, the variance, and the parts of the time of a step. */
export function energiesFigure(
  title: string,
  groundEnergy: number | undefined,
  trainings: readonly EnergyTraining[],
): string {
  return figure([...energyCharts(groundEnergy, trainings), timeChart(trainings)], { title });
}

/** The charts of `energiesFigure` without that of the time; `of` names what is trained. */
export function energyCharts(
  groundEnergy: number | undefined,
  trainings: readonly EnergyTraining[],
  of = '',
) {
  const errors = (x: (record: StepRecord<EnergyMeasures>, hostSeconds: number) => number): Series[] =>
    trainings.map(({ name, records }) => {
      let seconds = 0;
      const points: (readonly [number, number])[] = [];
      for (const record of records) {
        seconds += hostSecondsOf(record);
        const error = record.test?.['energyError'];
        if (error !== undefined) points.push([x(record, seconds), error]);
      }
      return { name, points };
    });
  const hasErrors = trainings.some(({ records }) =>
    records.some(({ test }) => test?.['energyError'] !== undefined),
  );
  const y = { label: '(E − E₀)/|E₀|', scale: 'log' } as const;
  const subtitle =
    groundEnergy === undefined
      ? ''
      : `computed from all patterns after a step; the ground energy is ${groundEnergy.toFixed(6)}`;
  return [
    ...(hasErrors
      ? [
          lineChart({
            title: `Relative error of the energy over the steps${of}`,
            subtitle,
            x: { label: 'step' },
            y,
            series: errors(({ step }) => step + 1),
          }),
          lineChart({
            title: `The same over host time${of}`,
            subtitle: 'an emulated board computes in the host’s time; a real one would not',
            x: { label: 'host time', format: formatSeconds },
            y,
            series: errors((_, seconds) => seconds),
          }),
        ]
      : [
          lineChart({
            title: 'Mean local energy of the samples of each step',
            subtitle: 'the exact energy is computed for up to 16 spins only',
            x: { label: 'step' },
            y: { label: 'energy' },
            series: trainings.map(({ name, records }) => ({
              name,
              points: records.map(({ step, loss }) => [step + 1, loss] as const),
            })),
          }),
        ]),
    lineChart({
      title: `Variance of the local energy${of}`,
      subtitle: 'it tends to 0 as the state tends to the ground state',
      x: { label: 'step' },
      y: { label: 'variance', scale: 'log' },
      series: trainings.map(({ name, records }) => ({
        name,
        points: records.map(({ step, variance }) => [step + 1, variance] as const),
      })),
    }),
  ];
}

/** Host time of one step, in s. */
export function hostSecondsOf({ timing }: Pick<StepFacts, 'timing'>): number {
  return Object.values(timing).reduce((sum, ms) => sum + ms, 0) / 1000;
}
