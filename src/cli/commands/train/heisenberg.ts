import { ENERGY_DEFAULTS } from '../../../learning/quantum/energy-defaults.js';
import { heisenbergChain } from '../../../learning/quantum/variational-energy.js';
import { chainOptions, ENERGY_COMMAND } from './energy.js';
import { problemCommand } from './problem-command.js';

export const { command, task } = problemCommand({
  ...ENERGY_COMMAND,
  options: chainOptions(12, 2),
  defaults: ENERGY_DEFAULTS.heisenberg,
  problemOf: heisenbergChain,
  example: `
Examples:
  thermolink train heisenberg --out runs/heisenberg
  thermolink train heisenberg --optimizer adam

The ground state of the antiferromagnetic ring H = Σ σ·σ by variational Monte Carlo with a restricted Boltzmann
machine, Marshall's signs and as many spins up as down. Up to 16 spins the energy is also computed from all
patterns.`,
});
