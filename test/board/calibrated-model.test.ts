import { describe, expect, it } from 'vitest';
import { makeAdc } from '../../emulator/analog/adc.js';
import { commitProgram } from '../../emulator/analog/effective-program.js';
import { findProfile } from '../../emulator/index.js';
import { nominalModel } from '../../src/board/board-model.js';
import { driveStep } from '../../src/board/board-range.js';
import { calibratedModel } from '../../src/board/calibrated-model.js';
import { refuseForeign } from '../../src/board/calibration.js';
import { programImage } from '../../src/board/quantize.js';
import { correctedVoltage } from '../../src/measure/adc-transfer.js';
import { eigenvalues, normalMatrix, problemRandom, symmetricWith } from '../support/solver-problems.js';
import { trueCalibration } from '../support/true-calibration.js';

// A board of 16 cells with every effect of the harsh profile.
const profile = { ...findProfile('harsh-64')!, cells: 16, rows: 16 };
const die = { profile, dieSeed: 4 };
const { cells } = profile;
const calibration = trueCalibration(die);
const scaling = { systemScale: 6, solutionScale: 2, couplingBits: profile.couplingBits, rowAttenuation: 0 };
const system = {
  kind: 'dense',
  matrix: symmetricWith(eigenvalues('log-uniform', 10, 12), problemRandom(7)),
} as const;
const DAMPING = 4;
const off = { amplitude: 0, shift: profile.noiseShiftMin };

/**
 * A of a committed program as the array holds it, in the units of the problem. Each row is multiplied by the
 * relative time constant of its cell.
 */
function effectiveMatrix(model: ReturnType<typeof calibratedModel>): Float64Array {
  const size = system.matrix.rows;
  const codes = model.quantizeSystem(system, scaling, DAMPING);
  const image = programImage(codes, new Int16Array(size), new Int16Array(size), off);
  const { forward, damping, clampedCouplings } = commitProgram(die, image);
  expect(clampedCouplings).toBe(0);
  return Float64Array.from(forward, (g, k) => {
    const [i, j] = [Math.floor(k / size), k % size];
    const ground = i === j ? damping[i] : 0;
    return (g + ground) * 2 ** -15 * scaling.systemScale * calibration.timeConstant[i];
  });
}

describe('a calibrated model', () => {
  const model = calibratedModel(calibration, profile);

  it('knows the content of the array to one step of the conductances', () => {
    const codes = model.quantizeSystem(system, scaling, DAMPING);
    const programmed = model.programmedSystem(codes, scaling.systemScale);
    if (programmed.kind !== 'dense') throw new Error('bug: another system');
    const found = effectiveMatrix(model);
    // The coupling and the damping are each rounded to this step.
    const step = 2 ** -15 * scaling.systemScale;
    for (const [k, value] of programmed.matrix.data.entries())
      expect(Math.abs(value - found[k])).toBeLessThan(1.6 * step);
  });

  it('chooses the codes that come nearest to A: within half a coupling step on every crosspoint', () => {
    const found = effectiveMatrix(model);
    const nominal = effectiveMatrix(nominalModel(profile));
    // The errors ε of the couplings and the crosstalk make a step larger. 15 % is enough for six spreads of 2
    // %.
    const half = (2 ** -profile.couplingBits * 1.15 + 2 ** -15) * scaling.systemScale;
    const errors = (of: Float64Array) => of.map((value, k) => Math.abs(value - system.matrix.data[k]));
    expect(Math.max(...errors(found))).toBeLessThan(half);
    expect(Math.max(...errors(nominal))).toBeGreaterThan(4 * half);
  });

  it('programs drives that give the requested values, and knows the exact values', () => {
    const random = problemRandom(8);
    const drive = Float64Array.from({ length: cells }, () => 12 * random.normal());
    const codes = model.quantizeDrive(drive, scaling);
    const image = programImage(
      {
        ...model.quantizeSystem(system, scaling, DAMPING),
        cells,
        rows: cells,
        couplings: new Int16Array(cells * cells),
      },
      codes,
      new Int16Array(cells),
      off,
    );
    const unit = scaling.systemScale * scaling.solutionScale;
    const effective = Array.from(
      commitProgram(die, image).drive,
      (e, i) => e * 2 ** -24 * unit * calibration.timeConstant[i],
    );
    const known = model.programmedDrive(codes, scaling);
    // Single codes of this board have errors of about a step, and of five steps at most. A calibration of
    // cells does not contain these errors.
    const step = driveStep(profile) * unit;
    for (let i = 0; i < cells; i++) {
      expect(Math.abs(known[i] - drive[i])).toBeLessThan(0.55 * step);
      expect(Math.abs(effective[i] - drive[i])).toBeLessThan(6 * step);
    }
    const offsets = nominalModel(profile).programmedDrive(codes, scaling);
    expect(Math.max(...offsets.map((e, i) => Math.abs(e - effective[i])))).toBeGreaterThan(20 * step);
  });

  it('reads voltages correctly', () => {
    const random = problemRandom(9);
    const volts = Float64Array.from({ length: cells }, () => 1.6 * random.uniform() - 0.8);
    const codes = new Int16Array(cells);
    makeAdc(die)(
      Int32Array.from(volts, (v) => v * 2 ** 24),
      codes,
    );
    const lsb = 2 ** -14;
    for (const [i, x] of model.readOut(codes, 2).entries())
      expect(Math.abs(x / 2 - volts[i])).toBeLessThan(6 * lsb);
    const read = nominalModel(profile).readOut(codes, 2);
    expect(Math.max(...read.map((x, i) => Math.abs(x / 2 - volts[i])))).toBeGreaterThan(20 * lsb);
    const spread = model.readOutSpread(new Float64Array(cells).fill(10), 2);
    for (const [i, value] of spread.entries())
      expect(value).toBeCloseTo((20 * lsb) / calibration.adcGain[i], 12);
  });

  it('subtracts the mean leakage from the damping of a factored system, and knows the damping that results', () => {
    const factor = normalMatrix(problemRandom(9), 6, 12);
    const leaked = (calibration.leakage.reduce((sum, g) => sum + g, 0) / cells) * scaling.systemScale;
    const step = 2 ** -15 * scaling.systemScale;
    expect(leaked).toBeGreaterThan(10 * step);
    for (const damping of [20 * leaked, 2 * leaked, leaked / 2]) {
      const codes = model.quantizeSystem({ kind: 'factored', factor, damping }, scaling, 0);
      const programmed = model.programmedSystem(codes, scaling.systemScale);
      if (programmed.kind !== 'factored') throw new Error('bug: another system');
      expect(Math.abs(programmed.damping - (codes.damping * step + leaked))).toBeLessThan(1e-9 * leaked);
      // A register cannot hold a negative number, so the leakage alone is the smallest damping.
      expect(Math.abs(programmed.damping - Math.max(damping, leaked))).toBeLessThan(0.51 * step);
    }
  });

  it('multiplies each row by its noise temperature, and divides by it to get the programmed system', () => {
    const equal = calibratedModel(calibration, profile, { equalizeNoise: true });
    const found = effectiveMatrix(equal);
    const size = system.matrix.rows;
    const half = (2 ** -profile.couplingBits * 1.15 + 2 ** -15) * scaling.systemScale;
    for (const [k, value] of found.entries()) {
      const wanted = calibration.noiseTemperature[Math.floor(k / size)] * system.matrix.data[k];
      expect(Math.abs(value - wanted)).toBeLessThan(half);
    }
    const codes = equal.quantizeSystem(system, scaling, DAMPING);
    const programmed = equal.programmedSystem(codes, scaling.systemScale);
    if (programmed.kind !== 'dense') throw new Error('bug: another system');
    for (const [k, value] of programmed.matrix.data.entries())
      expect(Math.abs(value - system.matrix.data[k])).toBeLessThan(1.3 * half);
  });
});

/*
 * r = o + g·v + c·v² is inverted by two corrections of the straight line, which leaves a relative error of
 * order (c/g)³. Boards have bends of some 1e-4. With such small bends the errors of single codes would hide a
 * correction of the wrong sign or size. The bends of this test are therefore larger.
 */
describe.each([-0.02, 0.005, 0.02])('a converter with a bend of %d', (bend) => {
  const [offset, gain] = [0.01, 1.03];
  const fill = (value: number) => new Float64Array(cells).fill(value);
  const bent = calibratedModel(
    {
      ...calibration,
      adcOffset: fill(offset),
      adcGain: fill(gain),
      adcCurvature: fill(bend),
      driveOffset: fill(offset),
      driveGain: fill(gain),
      driveCurvature: fill(bend),
    },
    profile,
  );
  const values = Float64Array.from({ length: cells }, (_, i) => (2 * i) / (cells - 1) - 1);
  const transfer = (x: number) => offset + gain * x + bend * x * x;
  const left = 10 * Math.abs(bend / gain) ** 3;

  it('reads the true voltage', () => {
    const codes = values.map((v) => transfer(v) * 2 ** (profile.adcBits - 2));
    for (const [i, x] of bent.readOut(codes, 2).entries())
      expect(Math.abs(x / 2 - values[i])).toBeLessThan(left);
    const unity = fill(1);
    const estimates = (value: number) => ({ values: fill(value), standardErrors: unity });
    const adc = { offset: estimates(offset), gain: estimates(gain), curvature: estimates(bend) };
    for (const [i, v] of values.entries())
      expect(
        Math.abs(correctedVoltage({ ...adc, scatter: unity, silent: [] }, i, transfer(v)) - v),
      ).toBeLessThan(left);
  });

  it('gives the requested drive to half a code', () => {
    const one = { ...scaling, systemScale: 1, solutionScale: 1 };
    const codes = bent.quantizeDrive(values, one);
    const step = driveStep(profile);
    for (const [i, code] of codes.entries())
      expect(Math.abs(transfer(code * step) - values[i])).toBeLessThan(0.55 * gain * step + left);
    const known = bent.programmedDrive(codes, one);
    for (const [i, code] of codes.entries()) expect(known[i]).toBeCloseTo(transfer(code * step), 12);
  });
});

it('a calibration of another board is refused', () => {
  const board = { model: 'prototype-8', serialNumber: 'die 1', cells: 8 };
  expect(() => refuseForeign(board, { ...board })).not.toThrow();
  for (const other of [{ model: 'prototype-9' }, { serialNumber: 'die 2' }, { cells: 9 }])
    expect(() => refuseForeign(board, { ...board, ...other })).toThrow(
      /The calibration is of prototype-8 "die 1"/,
    );
});
