import { VISCOSITY_RANGE } from '../../../learning/pinn/burgers.js';
import { PINN_DEFAULTS } from '../../../learning/pinn/pinn-defaults.js';
import { burgersPinn } from '../../../learning/pinn/pinn-problem.js';
import { option } from '../../options/option.js';
import { decimalFrom } from '../../options/values.js';
import { HIDDEN, PINN_COMMAND } from './pinn.js';
import { problemCommand } from './problem-command.js';

export const { command, task } = problemCommand({
  ...PINN_COMMAND,
  options: {
    viscosity: option(
      '--viscosity <nu>',
      'viscosity ν, 0.001 to 0.5; with a smaller ν the solution is steeper',
      {
        value: decimalFrom(...VISCOSITY_RANGE),
        default: 0.1,
      },
    ),
    hidden: HIDDEN,
  },
  steps: PINN_DEFAULTS.burgers.steps,
  defaults: PINN_DEFAULTS.burgers.optimizers,
  problemOf: ({ viscosity, hidden }) =>
    burgersPinn({ viscosity, ...(hidden === undefined ? {} : { hidden }) }),
  example: `
Examples:
  thermolink train burgers --out runs/burgers
  thermolink train burgers --viscosity 0.03 --hidden 16,16 --optimizer lbfgs --steps 1000

u_t + u u_x = ν u_xx for t from 0 to 1 and x from −1 to 1, with u = −sin πx at t = 0 and u = 0 at both ends. The
known solution is Cole and Hopf's integral.`,
});
