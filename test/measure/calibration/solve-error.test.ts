import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProfile } from '../../../emulator/index.js';
import { connect } from '../../../src/connect.js';
import { calibrate } from '../../../src/measure/calibrate.js';
import { type Problem, randomProblem, rootMeanSquare, solveError } from '../../support/one-pass.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/**
 * The URI of a board of this profile without the errors of cells, converters and lines. The errors of
 * crosspoints and the rounding of couplings remain.
 */
function withoutCellEffects(profileName: string): string {
  const profile = findProfile(profileName)!;
  const off = { timeConstantMismatch: null, noiseMismatch: null, inputOffset: null, leakage: null };
  const effects = { ...profile.effects!, ...off, driveConverter: null, adc: null, crosstalk: null };
  const file = join(directory, `${profileName}.json`);
  writeFileSync(file, JSON.stringify({ ...profile, effects }));
  return `emulator:file=${file}`;
}

interface Errors {
  readonly uncalibrated: number[];
  readonly cells: number[];
  readonly crosspoints: number[];
  readonly reference: number[];
}

const KINDS = (['log-uniform', 'linear'] as const).flatMap((shape) =>
  (['b', 'x'] as const).map((of) => [shape, of] as const),
);

/** Solve errors of random systems of condition 10 on these dies, by kind of problem. */
async function errorsOn(
  profileName: string,
  dies: readonly number[],
  problems: number,
): Promise<Map<string, Errors>> {
  const found = new Map<string, Errors>();
  const each = (
    die: number,
    cells: number,
    visit: (errors: Errors, problem: Problem) => Promise<unknown>,
  ): Promise<void> =>
    inTurn(KINDS, async ([shape, of]) => {
      const key = `${shape}, random ${of}`;
      const errors = found.get(key) ?? { uncalibrated: [], cells: [], crosspoints: [], reference: [] };
      found.set(key, errors);
      for (let k = 0; k < problems; k++)
        await visit(errors, randomProblem(90_000 + 1000 * die + k, cells, 10, shape, of));
    });
  for (const die of dies) {
    const device = await connect(`emulator:${profileName}?die=${die}`);
    const { calibration } = await calibrate(device, { seed: die, samples: 1000 });
    const cellsAlone = { ...calibration, couplingErrors: undefined };
    const { cells } = device.identity;
    await each(die, cells, async (errors, problem) => {
      errors.uncalibrated.push(await solveError(device, problem));
      errors.cells.push(await solveError(device, problem, cellsAlone));
      errors.crosspoints.push(await solveError(device, problem, calibration));
    });
    await device.close();
    const reference = await connect(`${withoutCellEffects(profileName)}?die=${die}`);
    await each(die, cells, async (errors, problem) => {
      errors.reference.push(await solveError(reference, problem));
    });
    await reference.close();
  }
  return found;
}

async function inTurn<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  for (const item of items) await work(item);
}

function pooled(found: ReadonlyMap<string, Errors>): Readonly<Record<keyof Errors, number>> {
  const all = (name: keyof Errors) => rootMeanSquare([...found.values()].flatMap((errors) => errors[name]));
  return {
    uncalibrated: all('uncalibrated'),
    cells: all('cells'),
    crosspoints: all('crosspoints'),
    reference: all('reference'),
  };
}

function report(title: string, found: ReadonlyMap<string, Errors>): void {
  for (const [kind, errors] of [...found, ['pooled', undefined] as const]) {
    const rms = errors === undefined ? pooled(found) : pooled(new Map([[kind, errors]]));
    const percent = (value: number) => `${(100 * value).toFixed(3)} %`;
    console.log(
      `${title}, ${kind}: uncalibrated ${percent(rms.uncalibrated)}, cells ${percent(rms.cells)} (÷ ${(rms.uncalibrated / rms.cells).toFixed(2)}), ` +
        `without cells' effects ${percent(rms.reference)} (${(rms.cells / rms.reference).toFixed(2)} of it), crosspoints ${percent(rms.crosspoints)} (÷ ${(rms.uncalibrated / rms.crosspoints).toFixed(2)})`,
    );
  }
}

/*
 * Dies, problems and measurement seeds are fixed. Other dies had these ratios of errors (prototype-64:
 * sixteen dies in eight sets of two, with sixteen problems each; prototype-8: sets of four dies). "Cells" is
 * the error after a calibration of cells, "crosspoints" that after a calibration of cells and crosspoints,
 * and "reference" that of a die whose cells have no errors:
 *
 *                 uncalibrated/cells   cells/reference   uncalibrated/crosspoints
 *   prototype-64  2.17 ± 0.19          1.01 ± 0.014      16.9 ± 1.4
 *   prototype-8   1.87 ± 0.29          1.02 ± 0.02       15.8 ± 3.2
 *
 * If four dies of prototype-64 were drawn at random, the first ratio would be below 1.8 once in 400 times. On
 * prototype-8 the first ratio varies too much for a bound.
 */
describe('the solve error, one pass at condition 10', () => {
  it('prototype-64: a calibration of cells divides the error by more than 1.8, one of cells and crosspoints by more than 4', {
    tags: 'long',
  }, async () => {
    const rms = pooled(await errorsOn('prototype-64', [1, 2, 3, 4], 2));
    expect(rms.uncalibrated / rms.cells).toBeGreaterThan(1.8);
    expect(rms.cells / rms.reference).toBeLessThan(1.2);
    expect(rms.uncalibrated / rms.crosspoints).toBeGreaterThan(4);
  });

  const expectCalibrated = async (dies: readonly number[]): Promise<void> => {
    const rms = pooled(await errorsOn('prototype-8', dies, 2));
    expect(rms.cells / rms.reference).toBeLessThan(1.2);
    expect(rms.uncalibrated / rms.crosspoints).toBeGreaterThan(4);
  };

  // For one die cells/reference is 1.02 ± 0.04, and uncalibrated/crosspoints is 16 ± 6.
  it(
    'prototype-8: a calibration of cells leaves at most 1.2 times the error of ideal cells, one of crosspoints too leaves a quarter',
    { tags: 'long' },
    () => expectCalibrated([1]),
  );

  it(
    'four dies of prototype-8: calibrations reduce the error by at least the same factors',
    { tags: 'long' },
    () => expectCalibrated([1, 2, 3, 4]),
  );
});

/**
 * Measures the figures of docs/how-to/calibrate.md. It takes minutes and is started by hand:
 *
 *   CALIBRATED_SOLVES=1 npx vitest run test/measure/calibration/solve-error.test.ts
 *
 * CALIBRATED_SOLVES is the seed of the first of three dies. Use dies that were not used before.
 */
const firstDie = process.env['CALIBRATED_SOLVES'];
describe.skipIf(firstDie === undefined)('the solve error on dies that were not used before', () => {
  it.each(['prototype-8', 'prototype-64', 'prototype-256'])('%s', { timeout: 600_000 }, async (profile) => {
    const dies = [0, 1, 2].map((k) => Number(firstDie) + k);
    const found = await errorsOn(profile, dies, 4);
    report(profile, found);
    const rms = pooled(found);
    if (profile !== 'prototype-8') expect(rms.uncalibrated / rms.cells).toBeGreaterThan(1.8);
    expect(rms.cells / rms.reference).toBeLessThan(1.2);
    for (const errors of found.values()) {
      const own = pooled(new Map([['', errors]]));
      expect(own.uncalibrated / own.crosspoints).toBeGreaterThan(4);
      // One kind of problem has only few problems of 8 cells, so its ratio is too uncertain for a bound.
      if (profile !== 'prototype-8') expect(own.cells / own.reference).toBeLessThan(1.2);
    }
  });
});
