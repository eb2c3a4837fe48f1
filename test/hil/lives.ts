import { PROGRAM_MODE } from '../../firmware-protocol/program-image.js';
import type { Device } from '../../src/driver/device.js';
import { programImage } from '../support/analog-boards.js';

/** What the host learns of a run, without times. */
export interface Told {
  readonly outcome: string;
  readonly ticksDone: number;
  readonly codes: readonly number[];
  readonly stateDigest: unknown;
  readonly tick: number;
}

/** Runs a dense program without noise, a dense one with noise and a factored one with noise, in two banks. */
export async function life(device: Device, cells: number, samples: number): Promise<Told[]> {
  const told: Told[] = [];
  const kinds = [
    [PROGRAM_MODE.dense, 0, 0],
    [PROGRAM_MODE.dense, 20011, 1],
    [PROGRAM_MODE.factored, 20011, 0],
  ] as const;
  for (const [mode, noiseAmplitude, bank] of kinds) {
    const couplings = Int16Array.from({ length: cells * cells }, (_, i) =>
      Math.floor(i / cells) === i % cells ? 14000 : ((i * 7919) % 401) - 200,
    );
    const drive = Int16Array.from({ length: cells }, (_, i) => 30 * (i - 3));
    const initialState = Int16Array.from({ length: cells }, (_, i) => 100 * i);
    const shape = {
      mode,
      cells,
      rows: cells,
      couplings,
      rowAttenuation: mode === PROGRAM_MODE.factored ? 2 : 0,
    };
    const rest = { drive, initialState, damping: 3000, noiseAmplitude, noiseShift: 12 };
    await device.loadProgram(bank, programImage({ ...shape, ...rest }));
    const { codes, report } = await device.acquire({
      bank,
      runSeed: 3,
      burnInTicks: 20,
      sampleCount: samples,
      ticksPerSample: 1,
      watchdogMs: 60_000,
    });
    const { stateDigest, tick } = await device.readStatus();
    const { outcome, ticksDone } = report;
    told.push({ outcome, ticksDone, codes: [...codes], stateDigest, tick });
  }
  return told;
}
