import { describe, expect, it } from 'vitest';
import { type DrawSummary, summarizeDraws } from '../../../src/algorithms/posterior/diagnostics.js';
import { normalQuantile } from '../../../src/linalg/normal-quantile.js';
import { randomSource } from '../../../src/linalg/random.js';
import { readRepositoryFile } from '../../repository/files.js';

interface Case {
  readonly name: string;
  readonly chains: readonly number[][];
  readonly expected: DrawSummary;
}

const oracle: { readonly cases: readonly Case[] } = JSON.parse(
  readRepositoryFile('test/algorithms/posterior/diagnostics-oracle.json'),
);
const cases = oracle.cases.map(({ name, chains, expected }) => ({
  name,
  chains: chains.map((chain) => Float64Array.from(chain)),
  expected,
}));

describe('summaries are those of R’s package posterior', () => {
  it.each(cases)('$name', ({ chains, expected }) => {
    const found = summarizeDraws(chains);
    for (const field of Object.keys(expected) as (keyof DrawSummary)[])
      expect(found[field], field).toBeCloseTo(
        expected[field],
        9 - Math.ceil(Math.log10(1 + Math.abs(expected[field]))),
      );
  });
});

it('shifted and scaled draws have the same convergence', () => {
  const { chains } = cases[1];
  const before = summarizeDraws(chains);
  const after = summarizeDraws(chains.map((chain) => chain.map((draw) => 8 * draw + 1024)));
  expect(after.rHat).toBeCloseTo(before.rHat, 9);
  expect(after.essBulk).toBeCloseTo(before.essBulk, 6);
  expect(after.sd).toBeCloseTo(8 * before.sd, 9);
});

it('chains of one constant value agree, so their R-hat is 1', () => {
  const constant = summarizeDraws([new Float64Array(8).fill(2), new Float64Array(8).fill(2)]);
  expect(constant).toMatchObject({ mean: 2, sd: 0, mcse: 0, rHat: 1 });
});

it('refuses input that is not a set of chains', () => {
  expect(() => summarizeDraws([])).toThrow(/there is none/);
  expect(() => summarizeDraws([new Float64Array(8), new Float64Array(9)])).toThrow(/lengths are 8, 9/);
  expect(() => summarizeDraws([new Float64Array(3)])).toThrow(/at least 4 draws|lengths are 3/);
});

/** Φ by its continued fraction and series: independent of the quantile's rational functions. */
function normalTail(z: number): number {
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z > 3) {
    let fraction = z;
    for (let k = 200; k > 0; k--) fraction = z + k / fraction;
    return density / fraction;
  }
  let [term, sum] = [z, z];
  for (let k = 1; k < 200; k++) {
    term *= (z * z) / (2 * k + 1);
    sum += term;
  }
  return 0.5 - density * sum;
}

it('the normal quantile inverts the normal distribution', () => {
  const random = randomSource({ seed: 15, stream: 0 });
  for (let k = 0; k < 500; k++) {
    const z = 8 * random.uniform();
    expect(normalQuantile(normalTail(z)) / -z).toBeCloseTo(1, 8);
  }
  expect(normalQuantile(0.5)).toBe(0);
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 14);
});
