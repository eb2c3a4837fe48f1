import { describe, expect, test } from 'vitest';
import { CellArray } from '../../emulator/analog/cell-array.js';
import type { Die } from '../../emulator/analog/die.js';
import { commitProgram } from '../../emulator/analog/effective-program.js';
import { OracleTicks } from '../../emulator/analog/oracle-ticks.js';
import { EmulatedDevice } from '../../emulator/device.js';
import { stateBytes } from '../../emulator/state-digest.js';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import { Device } from '../../src/driver/device.js';
import { ServedDevice } from '../../src/serve/serve-device.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';
import { cellArray, idealBoard, programImage } from '../support/analog-boards.js';
import { imperfectBoard, spread } from '../support/imperfect-boards.js';
import { VirtualClock } from '../support/virtual-clock.js';

const cells = 8;

/** A = ½·1, drive 0.25 V_fs·G_fs: every cell settles at 0.5 V_fs. */
function settling(parts: Partial<ProgramImage> = {}): ProgramImage {
  const couplings = new Int16Array(cells * cells);
  for (let i = 0; i < cells; i++) couplings[i * cells + i] = 16_384;
  return programImage({ cells, couplings, drive: new Int16Array(cells).fill(2048), ...parts });
}

function run(die: Die, image: ProgramImage, ...pieces: number[]): { array: CellArray; volts: number[] } {
  const array = cellArray(die);
  const program = commitProgram(die, image);
  array.loadInitialState(image.initialState);
  let tick = 0;
  for (const ticks of pieces) tick += array.advance(program, ticks, tick, 5, false);
  return { array, volts: Array.from(array.v, (v) => v / 2 ** 24) };
}

const withFaults = (...faults: NonNullable<Die['faults']>): Die => ({ ...idealBoard({}), faults });

describe('a fault on demand', () => {
  test('a dead cell discharges at its tick and stays at 0 V, also when an initial state is loaded', () => {
    const die = withFaults({ kind: 'deadCell', atTick: 600, cell: 3 });
    expect(run(die, settling(), 600).volts[3]).toBeCloseTo(0.5, 4);
    const { array, volts } = run(die, settling(), 700);
    expect(volts.map((v) => Math.round(v * 1e4) / 1e4)).toEqual([0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0.5]);
    array.loadInitialState(new Int16Array(cells).fill(1000));
    expect(Array.from(array.v, (v) => v > 0)).toEqual([true, true, true, false, true, true, true, true]);
  });

  test('a dead cell stays at 0 V under noise', () => {
    const die = withFaults({ kind: 'deadCell', atTick: 0, cell: 3 });
    const { volts } = run(die, settling({ noiseAmplitude: 20_000, noiseShift: 9 }), 500);
    expect(volts[3]).toBe(0);
    expect(volts[2]).not.toBe(0.5);
  });

  test('a saturating cell runs into a rail, is flagged, and halts a run', () => {
    const die = withFaults({ kind: 'saturatingCell', atTick: 600, cell: 5 });
    const { array, volts } = run(die, settling(), 700);
    expect(Math.abs(volts[5])).toBe(1.25);
    expect(Array.from(array.cellFlags)).toEqual([0, 0, 0, 0, 0, 1, 0, 0]);
    const halted = cellArray(die);
    const done = halted.advance(commitProgram(die, settling()), 700, 0, 5, true);
    expect(done).toBeGreaterThan(600);
    expect(done).toBeLessThan(620);
  });

  test('a stuck ADC channel gives one code for any voltage of the cell', () => {
    const die = withFaults({ kind: 'stuckAdcChannel', atTick: 50, cell: 2 });
    const { array } = run(die, settling(), 40);
    const codes = new Int16Array(cells);
    const read = () => {
      array.readAdc(codes);
      return Array.from(codes);
    };
    expect(new Set(read()).size).toBe(1);
    array.advance(commitProgram(die, settling()), 20, 40, 5, false);
    const first = read()[2];
    array.advance(commitProgram(die, settling()), 300, 60, 5, false);
    expect(read()[2]).toBe(first);
    expect(read()[1]).not.toBe(first);
  });

  test('thermal drift moves every cell slowly, and then stops', () => {
    const die = withFaults({ kind: 'thermalDrift', atTick: 2000 });
    const at = (ticks: number) => run(die, settling(), ticks).volts;
    expect(at(2000).every((v) => Math.abs(v - 0.5) < 1e-4)).toBe(true);
    const [soon, late, later] = [at(4000), at(2000 + 65 * 1024), at(2000 + 80 * 1024)];
    for (let i = 0; i < cells; i++)
      expect(Math.abs(late[i] - 0.5)).toBeGreaterThan(10 * Math.abs(soon[i] - 0.5));
    expect(late.every((v, i) => Math.abs(v - later[i]) < 1e-5)).toBe(true);
  });

  test('the die seed chooses the cell', () => {
    const broken = (dieSeed: number) => {
      const die = { ...idealBoard({}, dieSeed), faults: [{ kind: 'deadCell', atTick: 0 } as const] };
      return run(die, settling(), 500).volts.indexOf(0);
    };
    expect(broken(7)).toBe(broken(7));
    expect(new Set([1, 2, 3, 4, 5, 6].map(broken)).size).toBeGreaterThan(1);
  });
});

test('a run in pieces equals the whole run, with five dynamic effects and two faults on', () => {
  const faults = [
    { kind: 'deadCell', atTick: 1500 },
    { kind: 'thermalDrift', atTick: 900 },
  ] as const;
  const profile = imperfectBoard({
    noiseColour: { correlation256: 64, source: 'test' },
    commonModeNoise: { sharePpm: 20_000, source: 'test' },
    drift: spread(2000),
    flicker: spread(1000),
    softSaturation: { knee: 2 ** 22, slopeLog2: 5, source: 'test' },
  }).profile;
  const die = { profile, dieSeed: 4, faults };
  const image = settling({ noiseAmplitude: 20_000, noiseShift: 9 });
  const whole = stateBytes(run(die, image, 3000).array, 0);
  expect(stateBytes(run(die, image, 1, 1022, 1, 400, 1000, 576).array, 0)).toEqual(whole);
  const oracle = new CellArray(die, new OracleTicks(die));
  oracle.loadInitialState(image.initialState);
  oracle.advance(commitProgram(die, image), 3000, 0, 5, false);
  expect(stateBytes(oracle, 0)).toEqual(whole);
});

test('soft saturation leaves voltages below the knee and pulls back voltages beyond it', () => {
  const softSaturation = { knee: 2 ** 22, slopeLog2: 5, source: 'test' };
  const below = run(
    imperfectBoard({ softSaturation }),
    settling({ drive: new Int16Array(cells).fill(800) }),
    500,
  );
  expect(below.volts[0]).toBeCloseTo((2 * 800 * 2048) / 2 ** 24, 4);
  // At rest h·(e − A v) = (v − knee)/32 per tick. With h = 1/16 this is 0.25 − v/2 = (16/32)·(v − 0.25).
  const { volts } = run(imperfectBoard({ softSaturation }), settling(), 500);
  expect(volts[0]).toBeCloseTo(0.375, 2);
});

test('dead cells and stuck channels are as many as a binomial distribution allows', () => {
  const source = 'test';
  const effects = {
    deadCells: { sharePpm: 100_000, source },
    stuckAdcChannels: { sharePpm: 50_000, source },
  };
  const die = imperfectBoard(effects, { cells: 4000, rows: 1, dense: false }, 3);
  const array = cellArray(die);
  array.loadInitialState(new Int16Array(4000).fill(999));
  const dead = array.v.filter((v) => v === 0).length;
  const codes = new Int16Array(4000);
  array.readAdc(codes);
  const stuck = codes.filter((code) => code !== 0 && code !== 999).length;
  // The limits are six standard deviations of binomials: 4000·0.1 ± 6·19 and 4000·0.05 ± 6·14.
  expect(Math.abs(dead - 400)).toBeLessThan(6 * 19);
  expect(Math.abs(stuck - 200)).toBeLessThan(6 * 14);
});

test('a brown-out during a run: the board restarts silently at its tick, and the run fails with LINK_LOST', async () => {
  const clock = new VirtualClock();
  const board = new EmulatedDevice({ ...idealBoard({}), faults: [{ kind: 'brownOut', atTick: 5000 }] });
  const [near, far] = memoryPortPair('a board whose supply fails');
  new ServedDevice(board, far, { clock, sliceTicksMax: 1024 });
  const device = await clock.run(Device.open(near, { clock }));
  await clock.run(device.loadProgram(0, settling()));
  expect(board.board.bootEpoch).toBe(1);
  const run = { bank: 0, runSeed: 1, burnInTicks: 100_000, sampleCount: 1, ticksPerSample: 0 };
  // The new boot knows no session and answers nothing. The port cannot be opened again, so the link is lost.
  await expect(clock.run(device.acquire(run))).rejects.toMatchObject({ code: 'LINK_LOST' });
  expect(board.board.bootEpoch).toBe(2);
  expect(board.board.faults.ticks).toBe(5000);
  expect(board.board.memory.committedBanks).toBe(0);
  await clock.run(device.close());
});
