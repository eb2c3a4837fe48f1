import { PINN_DEFAULTS } from '../../../learning/pinn/pinn-defaults.js';
import { burgersPinn } from '../../../learning/pinn/pinn-problem.js';
import { HIDDEN, PINN_COMMAND } from './pinn.js';
import { problemCommand } from './problem-command.js';

export const { command, task } = problemCommand({
  ...PINN_COMMAND,
  options: { hidden: HIDDEN },
  steps: PINN_DEFAULTS.burgers.steps,
  defaults: PINN_DEFAULTS.burgers.optimizers,
  problemOf: ({ hidden }) => burgersPinn({ ...(hidden === undefined ? {} : { hidden }) }),
  example: `
Examples:
  thermolink train burgers --out runs/burgers
  thermolink train burgers --hidden 16,16 --optimizer bfgs

u_t + u u_x = 0.1 u_xx for t from 0 to 1 and x from −1 to 1, with u = −sin πx at t = 0 and u = 0 at both ends. The
known solution is Cole and Hopf's integral.`,
});
