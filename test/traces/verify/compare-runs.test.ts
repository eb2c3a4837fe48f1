import { describe, expect, it } from 'vitest';
import { type RandomSource, randomSource } from '../../../src/linalg/random.js';
import { compareRuns, type RunSamples } from '../../../src/traces/verify/compare-runs.js';
import { judge } from '../../../src/traces/verify/judge.js';

interface Process {
  readonly cells: number;
  readonly samples: number;
  /** Correlation of a sample with the sample before, by cell. */
  readonly memory: (cell: number) => number;
  readonly mean?: (cell: number, sample: number) => number;
  readonly scale?: (cell: number) => number;
}

/** Codes of a Gaussian process: neighbours are correlated, and so are consecutive samples. */
function codesOf({ cells, samples, memory, mean, scale }: Process, random: RandomSource): RunSamples {
  const codes = new Int16Array(samples * cells);
  const x = Float64Array.from({ length: cells }, () => random.normal());
  for (let t = 0; t < samples; t++)
    for (let i = 0; i < cells; i++) {
      const r = memory(i);
      if (t > 0) x[i] = r * x[i] + Math.sqrt(1 - r * r) * random.normal();
      const value = x[i] + 0.3 * x[(i + 1) % cells];
      codes[t * cells + i] = Math.round((mean?.(i, t) ?? 0) + (scale?.(i) ?? 1000) * value);
    }
  return { cells, codes };
}

const source = (seed: number): RandomSource => randomSource({ seed, stream: 9999 });

/** The number of alarms in `trials` pairs of runs, and the number of pairs without a verdict. */
function alarms(process: Process, trials: number, rate: number, seed: number) {
  const random = source(seed);
  let [raised, silent] = [0, 0];
  for (let trial = 0; trial < trials; trial++) {
    const comparison = compareRuns(codesOf(process, random), codesOf(process, random));
    if (!comparison.blocks) silent++;
    else if (judge([comparison], rate).deviations.length > 0) raised++;
  }
  return { raised, silent };
}

const fast: Process = { cells: 8, samples: 400, memory: (cell) => cell / 20 };

describe('runs of the same board', () => {
  it.each<[string, Process]>([['16 samples', { ...fast, samples: 16, memory: () => 0 }]])(
    'raise alarms at the given rate: %s',
    expectRate,
  );
  it.each<[string, Process]>([
    ['samples of unlike memory', fast],
    ['independent samples', { ...fast, samples: 200, memory: () => 0 }],
    ['samples of long memory', { ...fast, samples: 1000, memory: (cell: number) => 0.5 + cell / 20 }],
  ])('raise alarms at the given rate: %s', { tags: 'long' }, expectRate);

  function expectRate(_: string, process: Process): void {
    // At rate 0.05 there are at most 10 alarms in 200 on average. More than 24 alarms come once in 25,000
    // such tests.
    const { raised, silent } = alarms(process, 200, 0.05, 1);
    expect(raised).toBeLessThanOrEqual(24);
    expect(silent).toBeLessThan(200);
  }

  it('are not judged when their samples are too correlated', () => {
    const { silent } = alarms({ ...fast, samples: 300, memory: () => 0.99 }, 20, 0.05, 2);
    expect(silent).toBe(20);
  });

  it('have a common transient that is not a deviation', () => {
    const mean = (cell: number, sample: number) => 8000 * Math.exp(-sample / 40) + 100 * cell;
    expect(alarms({ ...fast, mean }, 40, 0.05, 3).raised).toBeLessThanOrEqual(9);
  });

  it('agree if both are the same constant, and deviate if the constants differ', () => {
    const constant = (value: number): RunSamples => ({ cells: 2, codes: new Int16Array(80).fill(value) });
    expect(judge([compareRuns(constant(5), constant(5))], 0.5).deviations).toEqual([]);
    const deviations = judge([compareRuns(constant(5), constant(6))], 1e-9).deviations;
    expect(deviations.map(({ statistic, cell }) => `${statistic} ${cell}`)).toEqual(['mean 0', 'mean 1']);
  });

  it('of different lengths are compared up to the shorter length', () => {
    const random = source(4);
    const long = codesOf(fast, random);
    const short = codesOf({ ...fast, samples: 200 }, random);
    expect(compareRuns(long, short).samples).toBe(200);
    expect(compareRuns({ cells: 8, codes: new Int16Array(0) }, short).blocks).toBeUndefined();
  });
});

describe('a fault', () => {
  const process: Process = { ...fast, samples: 8000, mean: (cell) => 1000 * cell, memory: () => 0.3 };

  /** The deviations at a rate of 1e-3 when the second process is another one. */
  function found(change: Partial<Process>): string[] {
    const random = source(5);
    const comparison = compareRuns(codesOf(process, random), codesOf({ ...process, ...change }, random));
    return judge([comparison], 1e-3).deviations.map(({ statistic, cell }) => `${statistic} ${cell}`);
  }

  it('is not found in runs without a fault', () => {
    expect(found({})).toEqual([]);
  });

  it('of one mean is found in that cell alone, with its size and its error', () => {
    expect(found({ mean: (cell) => 1000 * cell + (cell === 3 ? 200 : 0) })).toEqual(['mean 3']);
    const random = source(6);
    const shifted = { ...process, mean: (cell: number) => 1000 * cell + 50 };
    const { comparisons } = compareRuns(codesOf(process, random), codesOf(shifted, random));
    // Each deviation of 50 has a standard error of about 20. The mean of z² of 8 cells is 1 ± 0.5.
    const z = comparisons.slice(0, 8).map((one) => (one.found - one.recorded - 50) / one.error);
    expect(z.reduce((sum, value) => sum + value * value, 0) / 8).toBeLessThan(3.3);
  });

  it('of one amplitude is found in its variance', () => {
    const names = found({ scale: (cell) => (cell === 5 ? 1150 : 1000) });
    expect(names).toContain('variance 5');
    expect(names.filter((name) => name.startsWith('mean'))).toEqual([]);
  });

  it('of the noise of one cell is found in its innovation if the correlation in time hides it in the variance', () => {
    const slow: Partial<Process> = { memory: () => 0.9 };
    const louder = { ...slow, scale: (cell: number) => (cell === 5 ? 1080 : 1000) };
    const random = source(9);
    const [a, b] = [slow, louder].map((change) => codesOf({ ...process, ...change }, random));
    const { deviations, tests } = judge([compareRuns(a, b)], 1e-3);
    expect(deviations.map(({ statistic, cell }) => `${statistic} ${cell}`)).toEqual(['innovation 5']);
    expect(deviations[0].found / deviations[0].recorded).toBeCloseTo(1.08 ** 2, 1);
    expect(tests.innovation).toBe(8);
  });

  it('of a cell that stands still does not change the innovations of the others', () => {
    const random = source(10);
    const [a, b] = [codesOf(process, random), codesOf(process, random)];
    for (const { codes } of [a, b]) for (let t = 0; t < 8000; t++) codes[t * 8 + 2] = 7;
    const innovations = compareRuns(a, b).comparisons.filter(({ statistic }) => statistic === 'innovation');
    expect(innovations.map(({ cell }) => cell)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(innovations[2]).toMatchObject({ recorded: 0, found: 0, probability: 1 });
    for (const { cell, recorded, found } of innovations)
      if (cell !== 2) expect([recorded, found].every((power) => Math.abs(power - 1) < 0.15)).toBe(true);
  });

  it('needs 8 samples of each cell for innovations, all from one program', () => {
    const random = source(11);
    const kinds = (samples: number, isOneProgram: boolean) => {
      const [a, b] = [0, 1].map(() => codesOf({ ...fast, samples }, random));
      return compareRuns(a, b, { isOneProgram }).comparisons.some(
        ({ statistic }) => statistic === 'innovation',
      );
    };
    expect([kinds(400, true), kinds(400, false), kinds(63, true)]).toEqual([true, false, false]);
  });

  it('of the time constants is found in the autocorrelation alone', () => {
    expect(new Set(found({ memory: () => 0.4 }).map((name) => name.split(' ')[0]))).toEqual(
      new Set(['autocorrelation']),
    );
  });

  it('of a correlation is found in the pair', () => {
    const random = source(7);
    const [a, b] = [codesOf(process, random), codesOf(process, random)];
    for (let t = 0; t < 8000; t++) b.codes[t * 8 + 6] += Math.round(0.1 * b.codes[t * 8 + 1]);
    const pair = judge([compareRuns(a, b)], 1e-3).deviations.find(
      ({ statistic }) => statistic === 'covariance',
    );
    expect([pair?.cell, pair?.other]).toEqual([1, 6]);
    expect(pair!.found - pair!.recorded).toBeCloseTo(0.1, 1);
  });
});

describe('the rate', () => {
  it('is the rate of the whole file, so with more runs the limits of each run are wider', () => {
    const random = source(8);
    const one = compareRuns(codesOf(fast, random), codesOf(fast, random));
    const [single, ten] = [judge([one], 1e-3), judge(Array(10).fill(one), 1e-3)];
    for (const statistic of ['mean', 'variance', 'innovation', 'covariance', 'autocorrelation'] as const)
      expect(ten.limits[statistic]).toBeCloseTo(single.limits[statistic] / 10, 15);
    const spent = Object.entries(single.tests).map(([name, tests]) => tests * single.limits[name as 'mean']);
    expect(spent.reduce((sum, part) => sum + part, 0)).toBeCloseTo(1e-3, 12);
  });
});
