import type { EnergyMeasures, VariationalEnergy } from '../../../learning/quantum/variational-energy.js';
import { formatCount, formatNumber, formatPercent } from '../../../number-text.js';
import type { OptionSpecs } from '../../options/option.js';
import { option } from '../../options/option.js';
import { positiveInteger } from '../../options/values.js';
import { writeEnergyFigure } from './energy-figure.js';
import type { ProblemCommandDefinition } from './problem-command.js';

/** Options of both spin rings. */
export function chainOptions(sites: number, density: number) {
  return {
    sites: option('--sites <N>', 'spins in the ring', { value: positiveInteger(), default: sites }),
    density: option('--density <α>', 'hidden units for each spin', {
      value: positiveInteger(),
      default: density,
    }),
    chains: option('--chains <m>', 'samples of a step, which are rows of the curvature', {
      value: positiveInteger(),
      default: 1024,
    }),
    sweeps: option('--sweeps <k>', 'sweeps of the sampler between two steps', {
      value: positiveInteger(),
      default: 1,
    }),
  };
}

/** Common code of the commands of both spin rings. */
export const ENERGY_COMMAND = {
  steps: 200,
  describe: (problem: VariationalEnergy) =>
    `${formatCount(problem.parameterCount)} parameters, ${formatCount(problem.curvatureRows)} samples a step` +
    (problem.groundEnergy === undefined ? '' : `, ground energy ${problem.groundEnergy.toFixed(6)}`),
  fewerRows: (rowsMax: number) =>
    `Each sample takes a row: lower --chains to ${rowsMax} at most, or choose a larger board.`,
  figures: [
    { name: 'energy', of: ({ loss }) => loss, text: (value) => value.toFixed(4) },
    { name: 'accepted', of: ({ acceptance }) => acceptance, text: (value) => formatPercent(value) },
  ],
  results: (problem, summary) => {
    const { energy, energyError } = summary as { readonly energy?: number; readonly energyError?: number };
    return [
      ...(energy === undefined ? [] : [['energy', `${energy.toFixed(6)} (of all patterns)`]]),
      ...(problem.groundEnergy === undefined ? [] : [['ground energy', problem.groundEnergy.toFixed(6)]]),
      ...(energyError === undefined ? [] : [['relative error', formatNumber(energyError)]]),
    ];
  },
  draw: writeEnergyFigure,
} satisfies Partial<ProblemCommandDefinition<OptionSpecs, EnergyMeasures, VariationalEnergy>>;
