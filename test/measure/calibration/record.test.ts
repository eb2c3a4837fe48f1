import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import { invert } from '../../../src/algorithms/invert.js';
import { drawSamples } from '../../../src/algorithms/sample.js';
import { CELL_QUANTITIES } from '../../../src/board/calibration.js';
import { connect } from '../../../src/connect.js';
import { type CalibrationResult, calibrate } from '../../../src/measure/calibrate.js';
import { calibrationRecordOf } from '../../../src/measure/calibration-record.js';
import { packCalibration, unpackCalibration } from '../../../src/measure/kept-calibration.js';
import { calibrationOf } from '../../../src/measure/read-calibration-record.js';

const MEASURED = new Date('2026-03-01T12:00:00Z');
const LATER = new Date('2026-03-02T12:00:00Z');
const QUICK = { seed: 1, samples: 1000 };

async function calibrated(uri: string, request = {}): Promise<CalibrationResult> {
  const device = await connect(uri);
  try {
    return await calibrate(device, { ...QUICK, ...request });
  } finally {
    await device.close();
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a file may hold anything, and the tests damage it everywhere
type FileContent = any;
/** A record as it comes from a file, for tests to change. */
let text: () => FileContent;
let result: CalibrationResult;

beforeAll(async () => {
  result = await calibrated('emulator:prototype-8?die=3');
  const written = JSON.stringify(calibrationRecordOf(result, MEASURED, 30));
  text = () => JSON.parse(written);
});

describe('the record of a calibration', () => {
  it('has date, board, method, fields with units and residuals', () => {
    expect(text()).toMatchObject({
      schema: 'thermolink-calibration',
      version: 1,
      measuredAt: '2026-03-01T12:00:00.000Z',
      expiresAt: '2026-03-31T12:00:00.000Z',
      board: { model: 'prototype-8', serialNumber: 'die 3', cells: 8 },
      method: QUICK,
      uncalibrated: [],
    });
    expect(Object.keys(text().quantities)).toEqual([...CELL_QUANTITIES]);
    expect(text().quantities.driveOffset.unit).toBe('V_fs·G_fs');
  });

  it('has residuals of programs outside the calibration, which become much smaller', () => {
    // The residuals before the calibration are 0.5 to 1 % of the drive. Afterwards only the errors of single
    // codes of the converters remain.
    const { nominal, calibrated: left, runs } = text().residuals;
    expect(nominal).toBeGreaterThan(0.004);
    expect(left).toBeLessThan(nominal / 10);
    expect(runs).toBe(16);
  });

  it('comes back as it was measured, to seven digits', () => {
    const back = calibrationOf(text(), LATER);
    for (const quantity of CELL_QUANTITIES)
      for (const [i, value] of back[quantity].entries())
        expect(Math.abs(value - result.calibration[quantity][i])).toBeLessThan(
          5.1e-7 * Math.abs(value) + 1e-30,
        );
    expect(back.board).toEqual(result.calibration.board);
    expect(back.couplingErrors).toHaveLength(64);
  });

  it('is refused when it is out of date, to the millisecond', () => {
    const end = Date.parse('2026-03-31T12:00:00Z');
    expect(() => calibrationOf(text(), new Date(end - 1))).not.toThrow();
    expect(() => calibrationOf(text(), new Date(end))).toThrow(/expired at 2026-03-31T12:00:00.000Z/);
  });

  const damages: [string, (record: FileContent) => void, RegExp][] = [
    ['another schema', (record) => (record.schema = 'thermolink-characterization'), /schema/],
    ['a later version', (record) => (record.version = 2), /version is 2; it takes 1/],
    ['no board', (record) => delete record.board, /board is missing/],
    ['a board without a size', (record) => (record.board.cells = 0), /board.cells/],
    [
      'a date long after now',
      (record) => (record.measuredAt = '2026-03-04T12:00:00Z'),
      /measuredAt is .*future/,
    ],
    [
      'an end before its date',
      (record) => (record.expiresAt = '2026-03-01T11:00:00Z'),
      /not after measuredAt/,
    ],
    ['an end in a thousand years', (record) => (record.expiresAt = '3026-03-01T12:00:00Z'), /at most 3650/],
    ['no date', (record) => (record.expiresAt = 'soon'), /expiresAt is "soon"; it takes a date/],
    ['a missing quantity', (record) => delete record.quantities.adcGain, /quantities.adcGain/],
    [
      'a missing cell',
      (record) => record.quantities.leakage.values.pop(),
      /quantities.leakage.values has 7 entries; it needs one per cell, 8/,
    ],
    [
      'a null',
      (record) => (record.quantities.adcGain.values[3] = null),
      /adcGain.values\[3\] is null; it takes a number from 0.5 to 1.5/,
    ],
    [
      'an absurd gain',
      (record) => (record.quantities.driveGain.values[5] = -1),
      /driveGain.values\[5\] is -1; it takes a number/,
    ],
    [
      'no temperature',
      (record) => (record.quantities.noiseTemperature.values[0] = 0),
      /noiseTemperature.values\[0\] is 0/,
    ],
    [
      'too few crosspoints',
      (record) => record.couplingErrors.values.pop(),
      /couplingErrors.values has 63 entries; it needs one per crosspoint, 64/,
    ],
    [
      'an absurd crosspoint',
      (record) => (record.couplingErrors.values[9] = 7),
      /couplingErrors.values\[9\] is 7/,
    ],
  ];
  it.each(damages)('is refused with %s, and the error names the field', (_, damage, field) => {
    const record = text();
    damage(record);
    const read = () => calibrationOf(record, LATER);
    expect(read).toThrow(expect.objectContaining({ code: 'BAD_CALIBRATION' }));
    expect(read).toThrow(field);
  });
});

describe('the bytes of a record that a board keeps', () => {
  it('hold the record', () => {
    expect(unpackCalibration(packCalibration(text()))).toEqual(text());
  });

  it.each([
    ['are no gzip', Uint8Array.of(1, 2, 3)],
    ['are gzip of a text that is not JSON', new Uint8Array(gzipSync('not a record'))],
  ])('are refused if they %s', (_, bytes) => {
    expect(() => unpackCalibration(bytes)).toThrow(
      expect.objectContaining({
        code: 'BAD_CALIBRATION',
        message: 'The board keeps data that is not a calibration record of thermolink.',
      }),
    );
  });
});

it('solver, inverse and draws refuse the calibration of another die', async () => {
  const { calibration } = result;
  const device = await connect('emulator:prototype-8?die=4');
  const matrix = { rows: 2, columns: 2, data: Float64Array.of(4, 1, 1, 3) };
  const system = { kind: 'dense', matrix } as const;
  const address = { seed: 1, step: 0, block: 0 };
  const refused = { code: 'BAD_CALIBRATION', message: expect.stringContaining('"die 3"') };
  try {
    const before = device.uploadedBytes;
    expect(() => createAnalogSolver(device, { calibration })).toThrow(expect.objectContaining(refused));
    await expect(invert(device, { system, tolerance: 0.1, address, calibration })).rejects.toMatchObject(
      refused,
    );
    await expect(
      drawSamples(device, { precision: system, count: 1, address, calibration }),
    ).rejects.toMatchObject(refused);
    expect(device.uploadedBytes).toBe(before);
  } finally {
    await device.close();
  }
});

describe('calibrate', () => {
  it('without crosspoints measures cells and lines', { tags: 'long' }, async () => {
    const { calibration, residuals } = await calibrated('emulator:prototype-8?die=3', { crosspoints: false });
    expect(calibration.couplingErrors).toBeUndefined();
    // The crosstalk is 0.1 % on average, and it is measured to about 0.01 %.
    for (const share of calibration.fromNext.subarray(0, 7))
      expect(Math.abs(share - 1e-3)).toBeLessThan(2e-3);
    expect(residuals!.calibrated).toBeLessThan(residuals!.nominal);
  });

  it('leaves a cell that does not follow at its nominal values, and calibrates the others', {
    tags: 'long',
  }, async () => {
    const { calibration, uncalibrated, residuals } = await calibrated(
      'emulator:prototype-8?faults=deadCell:3@0',
    );
    expect(uncalibrated).toEqual([3]);
    expect(calibration.driveGain[3]).toBe(1);
    expect(calibration.driveGain[2]).not.toBe(1);
    expect(residuals!.calibrated).toBeLessThan(residuals!.nominal / 10);
  });

  it('refuses to measure crosspoints if the board has none or too many, before any byte is sent', {
    tags: 'long',
  }, async () => {
    for (const [uri, code] of [
      ['emulator:prototype-1024', 'TOO_LARGE'],
      ['emulator:prototype-crossbar', 'UNSUPPORTED'],
    ] as const) {
      const device = await connect(uri);
      const before = device.uploadedBytes;
      const work = calibrate(device, { ...QUICK, crosspoints: true });
      await expect(work).rejects.toMatchObject({ code, hint: expect.stringContaining('crosspoints: false') });
      expect(device.uploadedBytes).toBe(before);
      await device.close();
    }
  });
});
