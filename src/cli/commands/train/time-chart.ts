import type { StepTiming, TrainingFacts } from '../../../learning/record.js';
import { formatSeconds } from '../../../number-text.js';
import { barChart } from '../../../plot/bar-chart.js';
import { TIMING_NAMES } from './summary-text.js';

/** A training whose time is drawn. */
export interface TimedTraining {
  readonly name: string;
  readonly summary: TrainingFacts;
}

/**
 * A chart of the parts of the host time of a step, with one bar for each training. `of` names the trained
 * things.
 */
export function timeChart(trainings: readonly TimedTraining[], of = '') {
  return barChart({
    title: `Host time of one step${of}`,
    subtitle: boardSubtitle(trainings),
    x: { label: 'time', format: (milliseconds) => formatSeconds(milliseconds / 1000) },
    bars: trainings.map(({ name, summary }) => ({
      name,
      segments: (Object.keys(TIMING_NAMES) as (keyof StepTiming)[]).map((part) => ({
        name: TIMING_NAMES[part],
        value: summary.timing.breakdown[part],
      })),
    })),
  });
}

function boardSubtitle(trainings: readonly TimedTraining[]): string {
  const board = trainings.find(({ summary }) => summary.ticks > 0);
  if (!board) return 'no board was used';
  const seconds = board.summary.boardSeconds / board.summary.iterations;
  // No-break spaces: a formula is read in one piece.
  return (
    'an emulated board computes while the host waits; ' +
    `a real one would take ${formatSeconds(seconds)} a step (modelled: ticks\u00A0×\u00A0h\u00A0×\u00A0τ)`
  );
}
