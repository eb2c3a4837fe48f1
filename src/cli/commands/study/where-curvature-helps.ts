import { formatNumber, formatSeconds } from '../../../number-text.js';
import { SEARCH } from './curvature-map/rate-search.js';
import { measure, PART, runsOf, shapes, TARGET_FACTOR } from './curvature-map/trainings.js';
import { claimsOf, modelTables, stepsChart } from './curvature-map/verdicts.js';
import { secondsOrDash } from './table/groups.js';
import { tableCommand } from './table/table-command.js';
import type { TableStudy } from './table/table-study.js';

export const WHERE_CURVATURE_HELPS: TableStudy = {
  name: 'where-curvature-helps',
  title: 'Where curvature helps: a map',
  about: [
    'Small forms of many problems, from a well conditioned least squares to quantum states, equations and digits. On each the board, conjugate gradients, an exact solve, Adam and momentum go for the same target.',
    `The target is ${TARGET_FACTOR} times the error that the board ends with, seed by seed. First-order methods may take 5 to 50 times the steps.`,
    '“Low rank 64, no board” is the method of the equations with the board’s answer replaced by its input, and more directions that the host solves. It stands for CG there. CG takes 30 products, on digits 10, so it is not CG of equal accuracy.',
  ],
  settingsFrom:
    'Rates of Adam and momentum are searched on seed 0, 5 to 7 values each, 3 in the quick form. Other settings are those with which the studies quantum, pinn and mnist begin.',
  modelled:
    'Steps and errors are measured on an emulated board. Host work is measured on this machine, the fastest step. The time of the link and of the board is modelled.',
  device: 'emulator:ideal-crossbar',
  shapes,
  alone: 'Its runs measure host times, which are those of this machine.',
  parts: [
    {
      name: PART,
      title: 'Trainings',
      columns: [
        { figure: 'error', title: 'error', format: (value) => value.toExponential(1) },
        { figure: 'stepsToTarget', title: 'steps to target', format: (value) => formatNumber(value) },
        { figure: 'hostWorkSeconds', title: 'host work a step', format: formatSeconds },
        { figure: 'boardSeconds', title: 'board a step', format: secondsOrDash },
      ],
    },
    {
      name: SEARCH,
      title: 'Search of rates on seed 0',
      columns: [
        { figure: 'rate', title: 'rate tried', format: (value) => formatNumber(value, 2) },
        { figure: 'error', title: 'error', format: (value) => value.toExponential(1) },
      ],
    },
  ],
  runs: runsOf,
  measure,
  charts: (runs) => [stepsChart(runs)],
  modelTables,
  claims: claimsOf,
};

export const command = tableCommand(WHERE_CURVATURE_HELPS);
