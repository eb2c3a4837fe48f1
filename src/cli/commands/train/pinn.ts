import type { PinnProblem } from '../../../learning/pinn/pinn-problem.js';
import type { NoFigures } from '../../../learning/problem/contract.js';
import { counted, formatCount, formatNumber } from '../../../number-text.js';
import { type OptionSpecs, option } from '../../options/option.js';
import { wholeNumbers } from '../../options/values.js';
import { writePinnFigure } from './pinn-figure.js';
import type { ProblemCommandDefinition } from './problem-command.js';

/** The widths of hidden layers, as `--hidden 12,12`. */
export const HIDDEN = option('--hidden <widths>', 'units of each hidden layer, such as 48 or 12,12', {
  value: wholeNumbers,
});

/** Common code of the commands of all equations. */
export const PINN_COMMAND = {
  describe: ({ parameterCount, curvatureRows, equation }: PinnProblem) =>
    `${formatCount(parameterCount)} parameters, ${counted(curvatureRows, 'residual')} ` +
    `(${formatCount(equation.interior.count)} points inside, ${formatCount(equation.boundary.count)} at the boundary)`,
  figures: [{ name: 'loss', of: ({ loss }) => loss, text: formatNumber }],
  results: (_problem, summary) => [
    [
      'relative error',
      `${formatNumber((summary as { relativeError?: number }).relativeError ?? Number.NaN)} of the solution, at points that no step saw`,
    ],
  ],
  draw: writePinnFigure,
} satisfies Partial<ProblemCommandDefinition<OptionSpecs, NoFigures, PinnProblem>>;
