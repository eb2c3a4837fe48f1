import { PINN_DEFAULTS } from '../../../learning/pinn/pinn-defaults.js';
import { poissonPinn } from '../../../learning/pinn/pinn-problem.js';
import { option } from '../../options/option.js';
import { wholeNumber } from '../../options/values.js';
import { HIDDEN, PINN_COMMAND } from './pinn.js';
import { problemCommand } from './problem-command.js';

export const { command, task } = problemCommand({
  ...PINN_COMMAND,
  options: {
    dimensions: option('--dimensions <d>', 'dimensions of the cube, 2 to 16', {
      value: wholeNumber(2, 16),
      default: 5,
    }),
    hidden: HIDDEN,
  },
  steps: PINN_DEFAULTS.poisson.steps,
  defaults: PINN_DEFAULTS.poisson.optimizers,
  problemOf: ({ dimensions, hidden }) =>
    poissonPinn({ dimensions, ...(hidden === undefined ? {} : { hidden }) }),
  example: `
Examples:
  thermolink train poisson --out runs/poisson
  thermolink train poisson --dimensions 2 --steps 100
  thermolink train poisson --preset no-board
  thermolink train poisson --optimizer adam --steps 3000

Δu = −π² Σ cos πx_k in a cube, with the known solution u = Σ cos πx_k on its faces. In two dimensions: u = 0 on the
sides of a square, with the solution sin πx sin πy. Points inside and at the boundary are chosen once.`,
});
