import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AmplitudeRatios } from '../../../src/learning/quantum/amplitude-ratios.js';
import { chainsAt, localEnergies } from '../../../src/learning/quantum/sampler.js';
import { diagonalEnergy, heisenbergModel, isingModel } from '../../../src/learning/quantum/spin-chain.js';
import { energyGradient, fillFactor } from '../../../src/learning/quantum/variational-energy.js';
import { matrix } from '../../../src/linalg/matrix.js';

/** One case of golden.json, made by golden.py, which shares no code with the sources. */
interface Golden {
  readonly name: 'ising' | 'heisenberg';
  readonly sites: number;
  readonly hidden: number;
  readonly field: number;
  readonly parameters: readonly number[];
  readonly spins: readonly number[];
  readonly localEnergies: readonly number[];
  readonly gradient: readonly number[];
  readonly factor: readonly number[];
}

const { cases } = JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly Golden[];
};

function expectClose(actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  for (const [i, value] of expected.entries())
    expect(Math.abs(actual[i] - value), `entry ${i}`).toBeLessThan(1e-11 * largest);
}

describe.each(cases.map((golden) => [golden.name, golden] as const))(
  'the %s ring agrees with an independent program',
  (name, golden) => {
    const { sites, hidden, field } = golden;
    const model = name === 'ising' ? isingModel(sites, field) : heisenbergModel(sites);
    const parameters = Float64Array.from(golden.parameters);
    const ratios = new AmplitudeRatios({ sites, hidden }, parameters);
    const goldenChains = () => chainsAt({ sites, hidden }, parameters, Int8Array.from(golden.spins));

    it('in local energies', () => {
      const energies = localEnergies(model, ratios, goldenChains(), (spins, start) =>
        diagonalEnergy(model, spins, start),
      );
      expectClose(energies, golden.localEnergies);
    });

    it('in the gradient', () => {
      expectClose(energyGradient(model, ratios, goldenChains()).gradient, golden.gradient);
    });

    it('in the factor of the curvature', () => {
      const chains = goldenChains();
      const factor = matrix(chains.count, parameters.length);
      fillFactor(factor, chains);
      expectClose(factor.data, golden.factor);
    });

    it('in the inputs of the hidden units and their tanh, which are updated after each flip', () => {
      const chains = goldenChains();
      const moved = Int8Array.from(golden.spins);
      for (let c = 0; c < chains.count; c++) {
        const i = c % sites;
        ratios.applyFlip(i, moved[c * sites + i], chains.fields, chains.tanhs, c * hidden);
        moved[c * sites + i] *= -1;
      }
      const again = chainsAt({ sites, hidden }, parameters, moved);
      expectClose(chains.fields, [...again.fields]);
      expectClose(chains.tanhs, [...again.tanhs]);
    });
  },
);
