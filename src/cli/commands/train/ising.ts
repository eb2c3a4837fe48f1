import { ENERGY_DEFAULTS } from '../../../learning/quantum/energy-defaults.js';
import { isingChain } from '../../../learning/quantum/variational-energy.js';
import { option } from '../../options/option.js';
import { positiveNumber } from '../../options/values.js';
import { chainOptions, ENERGY_COMMAND } from './energy.js';
import { problemCommand } from './problem-command.js';

export const { command, task } = problemCommand({
  ...ENERGY_COMMAND,
  options: {
    ...chainOptions(16, 1),
    field: option('--field <Γ>', 'transverse field; 1 is critical', { value: positiveNumber, default: 1 }),
  },
  defaults: ENERGY_DEFAULTS.ising,
  problemOf: isingChain,
  example: `
Examples:
  thermolink train ising --sites 12 --chains 512 --ticks 256 --steps 150
  thermolink train ising --out runs/ising
  thermolink train ising --optimizer adam

The ground state of H = −Σ σᶻσᶻ − Γ Σ σˣ by variational Monte Carlo with a restricted Boltzmann machine. Up to 16
spins the energy is also computed from all patterns.`,
});
