import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import {
  driveCodes,
  driveVolts,
  readingVolts,
  STATE_STEP,
  stateCodes,
  stateVolts,
} from '../../src/board/index.js';
import { connect } from '../../src/connect.js';
import type { Device } from '../../src/driver/device.js';

const CELLS = 8;
/** λ = 1 G_fs in the damping register. */
const ONE_CONDUCTANCE = 2 ** 15;

let device: Device;
let fullScaleVolts: number;

beforeAll(async () => {
  device = await connect('emulator:ideal-8');
  fullScaleVolts = device.identity.fullScaleMicrovolts * 1e-6;
});

afterAll(() => device.close());

/** Uncoupled cells with G_fs to ground, without noise. */
async function read(codes: Partial<ProgramImage>, burnInTicks: number): Promise<Float64Array> {
  const zeros = new Int16Array(CELLS);
  await device.loadProgram(0, {
    ...{ mode: PROGRAM_MODE.dense, cells: CELLS, rows: CELLS, couplingBits: 16, rowAttenuation: 0 },
    ...{ couplings: new Int16Array(CELLS * CELLS), drive: zeros, initialState: zeros },
    ...{ damping: ONE_CONDUCTANCE, noiseAmplitude: 0, noiseShift: device.identity.noiseShiftMin },
    ...codes,
  });
  const samples = await device.acquire({
    ...{ bank: 0, runSeed: 1, burnInTicks, sampleCount: 1, ticksPerSample: 1 },
  });
  return readingVolts(samples.codes, device.identity);
}

/** Voltages of a cell that do not reach its rail. */
const voltages = () =>
  fc
    .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: CELLS, maxLength: CELLS })
    .map((shares) => Float64Array.from(shares, (share) => share * fullScaleVolts));

function expectWithin(actual: Float64Array, wanted: Float64Array, stepVolts: number): void {
  for (const [i, volts] of wanted.entries())
    expect(Math.abs(actual[i] - volts)).toBeLessThanOrEqual(stepVolts * (1 + 1e-9));
}

describe('codes and volts', () => {
  it('the loaded initial state is read at tick 0', async () => {
    await fc.assert(
      fc.asyncProperty(voltages(), async (volts) => {
        const initialState = stateCodes(volts, device.identity);
        expectWithin(stateVolts(initialState, device.identity), volts, (STATE_STEP / 2) * fullScaleVolts);
        expectWithin(await read({ initialState }, 0), volts, STATE_STEP * fullScaleVolts);
      }),
      { seed: 11, numRuns: 10 },
    );
  });

  it('a driven cell settles at the volts of its drive', async () => {
    const driveStepVolts = (driveVolts(Int16Array.of(1), device.identity)[0] ?? 0) / 2;
    await fc.assert(
      fc.asyncProperty(voltages(), async (volts) => {
        const drive = driveCodes(volts, device.identity);
        expectWithin(driveVolts(drive, device.identity), volts, driveStepVolts);
        expectWithin(await read({ drive }, 1000), volts, driveStepVolts + STATE_STEP * fullScaleVolts);
      }),
      { seed: 12, numRuns: 10 },
    );
  });

  it('volts beyond the range get the nearest code', () => {
    const { identity } = device;
    const far = Float64Array.of(-1e3, 1e3);
    expect([...stateCodes(far, identity)]).toEqual([-32767, 32767]);
    const limit = 2 ** (identity.driveBits - 1) - 1;
    expect([...driveCodes(far, identity)]).toEqual([-limit, limit]);
  });
});
