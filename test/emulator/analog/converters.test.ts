import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAdc } from '../../../emulator/analog/adc.js';
import { convertCouplings, type EffectiveCouplings } from '../../../emulator/analog/coupling-dac.js';
import { convertDrive } from '../../../emulator/analog/drive-dac.js';
import { commitProgram, refuseProgram } from '../../../emulator/analog/effective-program.js';
import { newKernelTicks } from '../../../emulator/kernel/kernel-ticks.js';
import { findProfile } from '../../../emulator/profiles/profiles.js';
import { PROGRAM_MODE, type ProgramImage } from '../../../firmware-protocol/program-image.js';
import { idealBoard, programImage } from '../../support/analog-boards.js';

function convert(adcBits: number, ...v: number[]): { codes: number[]; clipped: boolean } {
  const out = new Int16Array(v.length);
  const clipped = readAdc(Int32Array.from(v), adcBits, out);
  return { codes: Array.from(out), clipped };
}

describe('ADC', () => {
  test('16 bits: one step is 1024 LSB, halves go up', () => {
    const v = [0, 511, 512, 1023, 1536, -1, -512, -513, -1536, -1537];
    expect(convert(16, ...v)).toEqual({ codes: [0, 0, 1, 1, 2, 0, 0, -1, -1, -2], clipped: false });
  });

  test('the whole rail range fits', () => {
    const rail = 20480 * 1024;
    expect(convert(16, rail, -rail)).toEqual({ codes: [20480, -20480], clipped: false });
  });

  test('codes are cut at ±2 V_fs, and the cut is reported', () => {
    const largest = 2 ** 25;
    expect(convert(16, largest - 513)).toEqual({ codes: [32767], clipped: false });
    expect(convert(16, 0, largest - 512)).toEqual({ codes: [0, 32767], clipped: true });
    expect(convert(16, -largest - 512)).toEqual({ codes: [-32768], clipped: false });
    expect(convert(16, -largest - 513)).toEqual({ codes: [-32768], clipped: true });
  });

  test('gives the codes of the formula at every width', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 16 }),
        fc.integer({ min: -(2 ** 26), max: 2 ** 26 }),
        (bits, v) => {
          const b = BigInt(bits);
          const code = Number((BigInt(v) + (1n << (25n - b))) >> (26n - b));
          const kept = Math.min(2 ** (bits - 1) - 1, Math.max(-(2 ** (bits - 1)), code));
          expect(convert(bits, v)).toEqual({ codes: [kept], clipped: kept !== code });
        },
      ),
      { seed: 20240507, numRuns: 2000 },
    );
  });

  test('reads only as many cells as asked for', () => {
    const out = new Int16Array(1);
    expect(readAdc(Int32Array.of(1024, 2 ** 30), 16, out)).toBe(false);
    expect(out[0]).toBe(1);
  });
});

test('the kernel reads the codes of the definition of the ADC, at every width and for any number of cells', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 4, max: 16 }),
      fc.array(fc.oneof(fc.integer({ min: -(2 ** 26), max: 2 ** 26 }), fc.nat(4000)), {
        minLength: 1,
        maxLength: 40,
      }),
      fc.nat(40),
      (adcBits, voltages, count) => {
        const ticks = newKernelTicks(idealBoard({ cells: voltages.length, adcBits }))!;
        ticks.state.v.set(voltages);
        const length = Math.min(1 + count, voltages.length);
        const [expected, read] = [new Int16Array(length), new Int16Array(length)];
        expect(ticks.readAdc(read)).toBe(readAdc(ticks.state.v, adcBits, expected));
        expect(read).toEqual(expected);
      },
    ),
    { seed: 20261202, numRuns: 300 },
  );
});

test('drive DAC: 2¹¹ per code at 16 bits and ± 4, cut to ±(2²⁶ − 1)', () => {
  const die = idealBoard({});
  const codes = Int16Array.of(0, 1, -1, 32767, -32767, -32768);
  expect(Array.from(convertDrive(die, codes))).toEqual([0, 2048, -2048, 67106816, -67106816, -67108863]);
  const coarse = idealBoard({ driveBits: 8, driveRange: 2 });
  expect(Array.from(convertDrive(coarse, Int16Array.of(1, 127, -128)))).toEqual([
    262144, 33292288, -33554431,
  ]);
});

/** Couplings in 2⁻¹⁵ G_fs. */
function aligned({
  forward,
  couplingShift,
}: Pick<EffectiveCouplings, 'forward' | 'couplingShift'>): number[] {
  return Array.from(forward, (code) => code * 2 ** couplingShift);
}

describe('coupling DAC', () => {
  const effective = (couplingBits: number, codes: Int8Array | Int16Array) => {
    const image = programImage({
      mode: PROGRAM_MODE.factored,
      cells: codes.length,
      rows: 1,
      couplingBits,
      couplings: codes,
    });
    const { clampedCouplings, ...arrays } = convertCouplings(idealBoard({}), image);
    expect(arrays.transposed).toBe(arrays.forward);
    return { codes: aligned(arrays), clampedCouplings };
  };

  test('aligns codes to the left', () => {
    expect(effective(4, Int8Array.of(1, -7, 7))).toEqual({
      codes: [4096, -28672, 28672],
      clampedCouplings: 0,
    });
    expect(effective(8, Int8Array.of(1, -127))).toEqual({ codes: [256, -32512], clampedCouplings: 0 });
    expect(effective(16, Int16Array.of(1, -32767))).toEqual({ codes: [1, -32767], clampedCouplings: 0 });
  });

  test('cuts −2^(b−1) and all codes beyond the width to ±32767, and counts them', () => {
    expect(effective(8, Int8Array.of(-128, 0))).toEqual({ codes: [-32767, 0], clampedCouplings: 1 });
    expect(effective(16, Int16Array.of(-32768, 32767))).toEqual({
      codes: [-32767, 32767],
      clampedCouplings: 1,
    });
    expect(effective(4, Int8Array.of(8, -100, 3))).toEqual({
      codes: [32767, -32767, 12288],
      clampedCouplings: 2,
    });
  });

  test('equals the formula at every width, for any number of codes at any place in memory', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 16 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 70 }),
        fc.nat(5),
        (bits, numbers, offset) => {
          const Codes = bits <= 8 ? Int8Array : Int16Array;
          const span = 2 ** bits;
          const codes = new Codes(offset + numbers.length).subarray(offset);
          codes.set(numbers.map((number) => (number % span) - span / 2));
          const kept = Array.from(codes, (code) => Math.max(-32767, code * 2 ** (16 - bits)));
          const cut = codes.filter((code) => code === -span / 2).length;
          expect(effective(bits, codes)).toEqual({ codes: kept, clampedCouplings: cut });
        },
      ),
      { seed: 20261201, numRuns: 1000 },
    );
  });

  test('takes the memory of couplings that are not used any more, as a new array', () => {
    const image = (...codes: number[]) =>
      programImage({
        mode: PROGRAM_MODE.factored,
        cells: codes.length,
        rows: 1,
        couplingBits: 8,
        couplings: Int8Array.from(codes),
      });
    const die = idealBoard({});
    const first = convertCouplings(die, image(1, 2, 3, 4));
    const second = convertCouplings(die, image(5, 6, 7, 0), first);
    expect(second.forward.buffer).toBe(first.forward.buffer);
    expect(second.forward).not.toBe(first.forward);
    expect(aligned(second)).toEqual([1280, 1536, 1792, 0]);
    const longer = convertCouplings(die, image(1, 1, 1, 1, 1), second);
    expect(aligned(longer)).toEqual([256, 256, 256, 256, 256]);
    expect(aligned(second)).toEqual([1280, 1536, 1792, 0]);
  });
});

describe('a commit takes the memory of an unused program', () => {
  const image = (drive: number[], damping: number, noiseAmplitude: number) =>
    programImage({
      cells: drive.length,
      couplings: new Int8Array(drive.length ** 2).fill(7),
      couplingBits: 8,
      drive: Int16Array.from(drive),
      damping,
      noiseAmplitude,
    });

  test.each([
    ['ideal', idealBoard({})],
    ['imperfect', { profile: findProfile('prototype-8')!, dieSeed: 3 }],
  ])('on an %s board, and gives the same numbers as a commit in new memory', (_, die) => {
    const first = commitProgram(die, image([1, -2, 3, -4], 900, 12300));
    const next = image([-32768, 5, 0, 32767], 31, 24000);
    const second = commitProgram(die, next, undefined, first);
    expect(second).toEqual(commitProgram(die, next));
    for (const part of ['drive', 'damping', 'noiseAmplitude'] as const) {
      expect(second[part].buffer).toBe(first[part].buffer);
      expect(second[part]).not.toBe(first[part]);
    }
    const longer = image([9, 8, 7, 6, 5], 2, 15000);
    const before = Array.from(second.drive);
    expect(commitProgram(die, longer, undefined, second)).toEqual(commitProgram(die, longer));
    expect(Array.from(second.drive)).toEqual(before);
  });
});

describe('a commit', () => {
  const die = idealBoard({ cells: 4, rows: 8, couplingBits: 12 });
  const image = programImage({
    mode: PROGRAM_MODE.factored,
    cells: 4,
    rows: 8,
    couplingBits: 12,
    rowAttenuation: 10,
    couplings: new Int16Array(32).fill(5),
    drive: Int16Array.of(1, 2, 3, 4),
    damping: 4294967295,
    noiseAmplitude: 12288,
    noiseShift: 24,
  });

  test('reports the noise codes and keeps the registers per cell', () => {
    const program = commitProgram(die, image);
    expect(program).toMatchObject({ noiseCodeMin: 12288, noiseCodeMax: 12288, clampedNoiseCodes: 0 });
    expect(Array.from(program.damping)).toEqual(new Array(4).fill(4294967295));
    expect(Array.from(program.noiseAmplitude)).toEqual(new Array(4).fill(12288));
  });

  test('shares nothing with the image', () => {
    const codes = { couplings: image.couplings.slice(), drive: image.drive.slice() };
    const program = commitProgram(die, { ...image, ...codes });
    codes.couplings.fill(9);
    codes.drive.fill(9);
    expect([program.forward[0], program.drive[0]]).toEqual([80, 2048]);
  });

  test('may reuse the couplings of an earlier commit', () => {
    const first = commitProgram(die, image);
    const again = commitProgram(die, { ...image, drive: Int16Array.of(9, 9, 9, 9) }, first);
    expect(again.forward).toBe(first.forward);
    expect(again.drive[0]).toBe(9 * 2048);
  });

  const dense = { mode: PROGRAM_MODE.dense, rows: 4, couplings: new Int16Array(16), rowAttenuation: 0 };
  test.each<[string, Partial<ProgramImage>, ReturnType<typeof refuseProgram>]>([
    ['fits', {}, undefined],
    ['a dense one fits', dense, undefined],
    ['noise off', { noiseAmplitude: 0 }, undefined],
    ['unknown mode', { mode: 2 as ProgramImage['mode'] }, 'mode'],
    ['too many cells', { cells: 5 }, 'size'],
    ['no cells', { cells: 0 }, 'size'],
    ['too many rows', { rows: 9 }, 'size'],
    ['dense but not square', { ...dense, rows: 3 }, 'size'],
    ['couplings too wide', { couplingBits: 13 }, 'coupling-bits'],
    ['couplings too narrow', { couplingBits: 3 }, 'coupling-bits'],
    ['m·2^ρ > 8192', { rowAttenuation: 11 }, 'row-scale'],
    ['attenuation beyond 12', { rows: 1, rowAttenuation: 13, couplings: new Int16Array(4) }, 'row-scale'],
    ['attenuation of a dense program', { ...dense, rowAttenuation: 1 }, 'row-scale'],
    ['short couplings', { couplings: new Int16Array(31) }, 'length'],
    ['short drive', { drive: new Int16Array(3) }, 'length'],
    ['long initial state', { initialState: new Int16Array(5) }, 'length'],
    ['small noise amplitude', { noiseAmplitude: 12287 }, 'register'],
    ['large noise amplitude', { noiseAmplitude: 24576 }, 'register'],
    ['noise shift', { noiseShift: 25 }, 'register'],
    ['damping', { damping: 4294967296 }, 'register'],
    ['damping not whole', { damping: 1 / 2 }, 'register'],
  ])('%s', (_, change, refusal) => {
    const changed = { ...image, ...change };
    expect(refuseProgram(die.profile, changed)).toBe(refusal);
    if (refusal) expect(() => commitProgram(die, changed)).toThrow('bug');
  });

  test('a board without dense couplings refuses them', () => {
    expect(refuseProgram({ ...die.profile, dense: false }, { ...image, ...dense })).toBe('mode');
  });
});
