import { PINN_DEFAULTS } from '../../../learning/pinn/pinn-defaults.js';
import { heatPinn } from '../../../learning/pinn/pinn-problem.js';
import { HIDDEN, PINN_COMMAND } from './pinn.js';
import { problemCommand } from './problem-command.js';

export const { command, task } = problemCommand({
  ...PINN_COMMAND,
  options: { hidden: HIDDEN },
  steps: PINN_DEFAULTS.heat.steps,
  defaults: PINN_DEFAULTS.heat.optimizers,
  problemOf: ({ hidden }) => heatPinn({ ...(hidden === undefined ? {} : { hidden }) }),
  example: `
Examples:
  thermolink train heat --out runs/heat
  thermolink train heat --optimizer lbfgs --steps 1000

u_t = u_xx/4 for t and x from 0 to 1, with the known solution e^(−π²t/4) sin πx at t = 0 and at both ends.`,
});
