import { beforeAll, expect, test } from 'vitest';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import { noiseTemperatureOf } from '../../src/board/noise-register.js';
import { Device } from '../../src/driver/device.js';
import type { RunOptions } from '../../src/driver/device-api.js';
import { matrix } from '../../src/linalg/matrix.js';
import { idealBoard, programImage } from '../support/analog-boards.js';
import { inverse, type Rows } from '../support/analog-linear.js';
import { moments, readEquilibrium } from '../support/equilibrium-readings.js';
import { makeMcu, readUf2File } from './firmware.js';
import { PicoChip, readUf2 } from './pico-chip.js';
import { type PluggedIn, plugInUsb } from './pico-port.js';
import type { ChipFlash } from './pico-rom.js';
import { BOUGHT_PARTS, RC_POWER_ON_NS, type RcCircuit, type RcParts, rcCircuit } from './rc-circuit.js';
import { strictChip } from './strict-chip.js';

const CELLS = 3;
const TICK_LOG2 = 4;
const ADC_CODE_V = 2 ** -12;
/** The guarantees of docs/how-to/rc-board.md. */
const VOLTAGE_ERROR_V = 2e-3;
const COVARIANCE_ERROR = 0.03;
const A: Rows = [
  [0.6, 0.1, 0.05],
  [0.1, 0.5, 0.1],
  [0.05, 0.1, 0.7],
];
const B = [0.1, 0.2, -0.1];
const EXACT = inverse(A).map((row) => row.reduce((sum, g, j) => sum + g * B[j], 0));
/** Three sets of parts: as bought, at the ends of ±3 % and ±6 mV, and without errors except some noise. */
const BOARDS: readonly (readonly [string, RcParts])[] = [
  ['bought parts', BOUGHT_PARTS],
  [
    'parts at their limits',
    { ...BOUGHT_PARTS, tauS: [0.0103, 0.0097, 0.0103], offsetV: [-6e-3, 6e-3, -6e-3], seed: 2 },
  ],
  ['exact parts', { tauS: [0.01, 0.01, 0.01], offsetV: [0, 0, 0], noiseCodes: 0.5, seed: 3 }],
];

interface Bench extends PluggedIn {
  readonly circuit: RcCircuit;
  readonly device: Device;
  /** The faults that strict-chip.ts, the circuit and the bus have found. */
  readonly faults: () => string[];
}

let image: Uint8Array;
beforeAll(() => {
  image = readUf2(readUf2File(makeMcu('pico-rc3'), 'thermolink-pico-rc3.uf2'));
});

async function powerOn(parts: RcParts = BOUGHT_PARTS, flash?: ChipFlash): Promise<Bench> {
  const chip = new PicoChip(image, flash);
  const circuit = rcCircuit(chip.mcu, parts);
  const chipFaults = strictChip(chip.mcu);
  chip.run(RC_POWER_ON_NS);
  const plugged = plugInUsb(chip);
  const device = await plugged.run(Device.open(plugged.port, { clock: plugged.clock }));
  const faults = () => [...chipFaults, ...circuit.faults, ...(plugged.bus?.faults ?? [])];
  return { ...plugged, circuit, device, faults };
}

const register = (values: readonly number[]) => Int16Array.from(values, (x) => Math.round(x * 2 ** 15));
const system = programImage({ cells: CELLS, couplings: register(A.flat()), drive: register(B) });

/** Samples in V_fs, a reading a row, and the report of their run. */
async function acquire({ device, run }: Bench, program: ProgramImage, parts: Partial<RunOptions>) {
  await run(device.loadProgram(0, program));
  const ticks = { burnInTicks: 0, sampleCount: 1, ticksPerSample: 1 };
  const { codes, report } = await run(
    device.acquire({ bank: 0, runSeed: 1, watchdogMs: 60_000, timeoutMs: 600_000, ...ticks, ...parts }),
  );
  const samples = Array.from({ length: codes.length / CELLS }, (_, k) =>
    Array.from(codes.subarray(CELLS * k, CELLS * (k + 1)), (code) => code * ADC_CODE_V),
  );
  return { samples, report };
}

function expectNear(volts: readonly number[], expected: readonly number[], error = VOLTAGE_ERROR_V): void {
  expect(volts).toHaveLength(expected.length);
  volts.forEach((v, i) => {
    expect(Math.abs(v - expected[i]), `cell ${i}: ${v} V_fs, expected ${expected[i]}`).toBeLessThan(error);
  });
}

for (const [name, parts] of BOARDS)
  test(`${name}: cells are at 0 V_fs after power-on, a 3×3 system settles at A⁻¹b, both within 2 mV`, async () => {
    const bench = await powerOn(parts);
    expectNear(bench.circuit.volts(), [0, 0, 0]);
    expect(await bench.run(bench.device.readStatus())).toMatchObject({ fault: 'none' });
    const settled = { burnInTicks: 400, sampleCount: 20, ticksPerSample: 16 };
    const { samples, report } = await acquire(bench, system, settled);
    expect(report).toMatchObject({ outcome: 'completed', overloadedCellCount: 0 });
    expectNear(moments(samples).mean, EXACT);
    // Here the voltages of the capacitors themselves are compared. The firmware only knows its ADC readings.
    expectNear(bench.circuit.volts(), EXACT);
    expect(bench.faults()).toEqual([]);
  });

test('the solver of the host gives A⁻¹b within 2 mV', async () => {
  const { device, run } = await powerOn();
  const answer = await run(
    createAnalogSolver(device).solve({
      system: { kind: 'dense', matrix: matrix(CELLS, CELLS, Float64Array.from(A.flat())) },
      drive: Float64Array.from(B),
      tolerance: 5e-3,
      address: { seed: 4, step: 0, block: 0 },
    }),
  );
  expectNear([...answer.x], EXACT);
});

test('a loaded state is there at the first sample, and is held when nothing runs', async () => {
  const bench = await powerOn();
  const volts = [1.25, -0.5, 0.25];
  const program = programImage({
    cells: CELLS,
    couplings: new Int16Array(CELLS * CELLS),
    initialState: Int16Array.from(volts, (v) => v * 2 ** 14),
  });
  const { samples } = await acquire(bench, program, {});
  expectNear(samples[0], volts, 3e-3);
  bench.chip.run(2e9);
  expectNear(bench.circuit.volts(), volts, 4e-3);
});

test('a calibration record survives a loss of power', async () => {
  const record = Uint8Array.from({ length: 3000 }, (_, i) => (i * 7919) >> 3);
  const bench = await powerOn();
  expect(await bench.run(bench.device.readCalibration())).toBeUndefined();
  await bench.run(bench.device.keepCalibration(record));
  expect(bench.faults()).toEqual([]);
  const next = await powerOn(BOUGHT_PARTS, bench.chip.flash);
  expect(await next.run(next.device.readCalibration())).toEqual(record);
});

test('a voltage beyond an output’s reach sets the flag of its cell, and of no other cell', async () => {
  const bench = await powerOn();
  // Cell 1 would settle at 2 V_fs.
  const program = programImage({
    cells: CELLS,
    couplings: register([0.5, 0, 0, 0, 0.5, 0, 0, 0, 0.5]),
    drive: register([0.1, 0.9999, -0.1]),
  });
  const run = { burnInTicks: 1000, sampleCount: 1, ticksPerSample: 1 };
  const { report } = await acquire(bench, program, { ...run, onOverload: 'mark' });
  expect(report).toMatchObject({ outcome: 'completed', overloadedCells: [1] });
  const halted = await acquire(bench, program, run);
  expect(halted.report).toMatchObject({ outcome: 'overload', overloadedCells: [1] });
});

for (const [name, tauS] of [
  ['no capacitor', [0.01, 1e-6, 0.01]],
  ['a capacitor of 10 µF', [0.01, 0.01, 0.1]],
] as const)
  test(`${name}: the self-test fails`, async () => {
    const { device, run } = await powerOn({ ...BOUGHT_PARTS, tauS });
    expect(await run(device.readStatus())).toMatchObject({ state: 'fault', fault: 'selfTest' });
  });

/**
 * The kicks are those of the device model, so the cells follow the model of an ideal board with the same
 * tick, sample by sample. The remaining differences are the errors of the circuit.
 */
test('with noise the cells follow the device model: each sample, and covariances within 3 %', async () => {
  const bench = await powerOn();
  const a: Rows = [
    [0.9, 0.2, 0],
    [0.2, 0.8, -0.1],
    [0, -0.1, 0.95],
  ];
  const noise = { amplitude: 16384, shift: 10 };
  const program = programImage({
    cells: CELLS,
    couplings: register(a.flat()),
    noiseAmplitude: noise.amplitude,
    noiseShift: noise.shift,
  });
  const [count, apart, seed] = [1200, 8, 4242];
  const modelled = readEquilibrium(idealBoard({ tickLog2: TICK_LOG2 }), program, apart, count);
  const { samples, report } = await acquire(bench, program, {
    burnInTicks: 11 * apart,
    sampleCount: count,
    ticksPerSample: apart,
    runSeed: seed,
  });
  expect(report).toMatchObject({ outcome: 'completed', overloadedCellCount: 0 });
  const [model, circuit] = [moments(modelled.samples), moments(samples)];
  const kappa = noiseTemperatureOf(noise, 2 ** -TICK_LOG2);
  const ideal = inverse(a).map((row) => row.map((x) => x * kappa));
  const worst = { model: 0, ideal: 0 };
  for (let i = 0; i < CELLS; i++)
    for (let j = 0; j < CELLS; j++) {
      const unit = Math.sqrt(ideal[i][i] * ideal[j][j]);
      const off = circuit.covariance[i][j] - model.covariance[i][j];
      worst.model = Math.max(worst.model, Math.abs(off) / unit);
      worst.ideal = Math.max(worst.ideal, Math.abs(circuit.covariance[i][j] - ideal[i][j]) / unit);
    }
  const differences = samples.flatMap((row, k) => row.map((v, i) => v - modelled.samples[k][i]));
  const rms = Math.sqrt(differences.reduce((sum, d) => sum + d * d, 0) / differences.length);
  // σ of the cells is 24 mV.
  expect(rms).toBeLessThan(1e-3);
  expect(worst.model).toBeLessThan(COVARIANCE_ERROR);
  // 600 τ with modes of at least 0.6 give a standard error of 7.5 %. One of six entries exceeds five standard
  // errors with a probability of 4e-6.
  expect(worst.ideal).toBeLessThan(COVARIANCE_ERROR + 5 * 0.075);
});
