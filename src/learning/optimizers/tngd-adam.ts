import type { RelaxationSolver } from '../../algorithms/contract.js';
import { type AdamSettings, adamInit, adamMoments } from './adam.js';
import type { Optimizer } from './contract.js';
import { type RelaxationSettings, relax, relaxationInit } from './relaxation.js';
import { applyStep, rateAt } from './step.js';

export interface TngdAdamSettings extends RelaxationSettings, AdamSettings {}

/**
 * Adam with the relaxed solution x(t) instead of the gradient. With β = (0, 0) it steps by the sign of x, and
 * its control is signSGD. Source: Donatella et al., arXiv 2405.13817, section 5.2.
 */
export function tngdAdam(solver: RelaxationSolver, settings: TngdAdamSettings): Optimizer {
  return {
    name: 'tngd-adam',
    settings: { name: 'tngd-adam', ...settings },
    needsCurvature: true,
    ...(settings.blocks === 'layers' ? { needsLayerCurvatures: true } : {}),
    init: (parameterCount) => merge(relaxationInit(parameterCount), adamInit(parameterCount)),
    update: async (state, request) => {
      const relaxed = await relax(solver, settings, state, request);
      const moments = adamMoments(state, relaxed.x, settings);
      return {
        parameters: applyStep(request, moments.direction, rateAt(settings, request), settings.clip),
        state: merge(relaxed.state, moments.state),
        cost: relaxed.cost,
      };
    },
  };
}

function merge<State extends { arrays: object; numbers: object }>(a: State, b: State): State {
  return { ...a, arrays: { ...a.arrays, ...b.arrays }, numbers: { ...a.numbers, ...b.numbers } };
}
