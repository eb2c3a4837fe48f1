import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findProfile } from '../../../emulator/index.js';
import { deviations, meanSquare, measure } from './agreement.js';

/*
 * z = (estimate − the die's true value) / standard error. The mean square of n normal z has the standard
 * deviation √(2/n), which is 0.051 for the 768 cells below. With random seeds a quantity would be outside
 * [0.8, 1.25] once in 10,000 times, and any quantity once in 1000 times. Seeds are fixed: die = measurement
 * seed = 1, 2, 3.
 */
describe('estimates agree with the die within their own error bars', () => {
  it('prototype-256, every quantity of cells and couplings', { tags: 'long' }, async () => {
    const found = await deviations('prototype-256', [1, 2, 3], 4);
    expect([...found.keys()].sort()).toEqual([
      'adcCurvature',
      'adcGain',
      'adcOffset',
      'coupling',
      'driveGain',
      'driveOffset',
      'fromBefore',
      'fromNext',
      'leakage',
      'noiseTemperature',
      'timeConstant',
    ]);
    for (const [quantity, z] of found) {
      expect(z.length, quantity).toBeGreaterThanOrEqual(765);
      expect(meanSquare(z), quantity).toBeGreaterThan(0.8);
      expect(meanSquare(z), quantity).toBeLessThan(1.25);
    }
  });

  // A die has 140 estimates, so the mean square has a standard deviation of 0.12 for one die and of 0.06 for
  // four. With random seeds it would be outside the bounds once in 1000 times.
  it('spu-8, die 1, all quantities pooled', () => expectPooled([1], 0.65, 1.45, 1000));
  it.each<[number[], number, number]>([[[1, 2, 3, 4], 0.8, 1.25]])(
    'spu-8, dies %j, all quantities pooled',
    { tags: 'long' },
    expectPooled,
  );

  async function expectPooled(
    dies: readonly number[],
    least: number,
    most: number,
    samples?: number,
  ): Promise<void> {
    const found = await deviations('spu-8', dies, 8, samples);
    const z = [...found.values()].flat();
    expect(z.length).toBeGreaterThan(125 * dies.length);
    expect(meanSquare(z)).toBeGreaterThan(least);
    expect(meanSquare(z)).toBeLessThan(most);
  }

  it('harsh-64: drives that drift and flicker from run to run, and coloured noise, which has no single temperature', {
    tags: 'long',
  }, async () => {
    const found = await deviations('harsh-64', [1, 2, 3], 4);
    found.delete('noiseTemperature');
    const z = [...found.values()].flat();
    // There are 2,400 estimates, but the estimates of one run share its drift. The bounds are therefore as
    // wide as for 240 estimates. They are exceeded once in 500 times.
    expect(meanSquare(z)).toBeGreaterThan(0.75);
    expect(meanSquare(z)).toBeLessThan(1.3);
  });

  it('the noise of spu-8 is not called coloured', { tags: 'long' }, async () => {
    const { noiseColour } = await measure('emulator:spu-8?die=1', 1, 0);
    expect(noiseColour.isColoured).toBe(false);
  });

  it('noise is called coloured if and only if it is coloured', { tags: 'long' }, async () => {
    for (const [profile, isColoured] of [
      ['harsh-64', true],
      ['prototype-64', false],
      ['spu-8', false],
      ['ideal-8', false],
    ] as const)
      for (const die of [1, 2]) {
        const { noiseColour } = await measure(`emulator:${profile}?die=${die}`, die, 0);
        expect(noiseColour.isColoured, `${profile}, die ${die}`).toBe(isColoured);
      }
  });

  it('the test can fail: another die does not agree', { tags: 'long' }, async () => {
    const measured = await measure('emulator:prototype-8?die=2', 1, 0, 1000);
    const other = await measure('emulator:prototype-8?die=1', 1, 0, 1000);
    const z = [...measured.timeConstant.values].map(
      (value, i) => (value - other.timeConstant.values[i]) / measured.timeConstant.standardErrors[i],
    );
    expect(meanSquare(z)).toBeGreaterThan(1000);
  });

  const ideal = 'an ideal board is measured as ideal, and its noise is not called coloured';
  it(`${ideal}: 1,000 samples`, { tags: 'long' }, () => expectIdeal(1000));
  it(`${ideal}: the default number of samples`, { tags: 'long' }, () => expectIdeal());

  async function expectIdeal(samples?: number): Promise<void> {
    const { adc, drive, timeConstant, couplings, silent, overloaded, noiseColour } = await measure(
      'emulator:ideal-8',
      5,
      3,
      samples,
    );
    expect([silent, overloaded]).toEqual([[], []]);
    expect(noiseColour.isColoured).toBe(false);
    const nominal = [
      [adc.offset, 0],
      [adc.gain, 1],
      [drive.offset, 0],
      [drive.gain, 1],
      [drive.leakage, 0],
      [timeConstant, 1],
      [couplings!.errors, 0],
    ] as const;
    // The limit of the 72 estimates is six standard errors, which gives a false alarm once in 10⁷ runs.
    for (const [{ values, standardErrors }, expected] of nominal)
      for (const [i, value] of values.entries())
        expect(Math.abs(value - expected)).toBeLessThan(6 * standardErrors[i]);
  }

  it('a board without a dense array is measured except for its couplings', { tags: 'long' }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'thermolink-'));
    try {
      const file = join(directory, 'board.json');
      writeFileSync(file, JSON.stringify({ ...findProfile('prototype-crossbar')!, cells: 16, rows: 4 }));
      const measured = await measure(`emulator:file=${file}`, 1, 4, 1000);
      expect(measured.couplings).toBeUndefined();
      expect(measured.timeConstant.values).toHaveLength(16);
      // The spread between cells is 1 %, and the limit is six times this spread.
      for (const value of measured.timeConstant.values) expect(Math.abs(value - 1)).toBeLessThan(0.06);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('cells that break', () => {
  it('a dead cell and a stuck channel are reported as silent, and their neighbours are measured', async () => {
    const measured = await measure(
      'emulator:prototype-8?faults=deadCell:3@0,stuckAdcChannel:6@0',
      1,
      4,
      1000,
    );
    expect(measured.silent).toEqual([3, 6]);
    expect(measured.histograms[3].stuckAt).toBeDefined();
    for (const cell of [0, 1, 2, 4, 5, 7]) expect(measured.drive.gain.values[cell]).toBeCloseTo(1, 1);
    expect(measured.drive.gain.values[3]).toBeNaN();
    expect(measured.timeConstant.values[6]).toBeNaN();
  });

  it('a cell that runs into its rail is named', { tags: 'long' }, async () => {
    const measured = await measure('emulator:prototype-8?faults=saturatingCell:2@0', 1, 0, 1000);
    expect(measured.overloaded).toEqual([2]);
  });
});
