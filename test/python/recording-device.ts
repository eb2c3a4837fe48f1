import { createHash } from 'node:crypto';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import type { BoardDevice } from '../../src/driver/device-api.js';

/** A program or a board run as `run_cases.py` notes it. */
export type Sent = Readonly<Record<string, unknown>>;

const MODE_NAMES = Object.keys(PROGRAM_MODE);

function programNote(kind: 'load' | 'rewrite', bank: number, image: ProgramImage): Sent {
  const { mode, couplingBits, rowAttenuation, rows, cells, damping, noiseAmplitude, noiseShift } = image;
  return {
    ...{ kind, bank, mode: MODE_NAMES[mode], couplingBits, rowAttenuation, rows, cells },
    couplings: [...image.couplings],
    drive: [...image.drive],
    initialState: [...image.initialState],
    ...{ damping, noiseAmplitude, noiseShift },
  };
}

/** A board that stores every program and every run in `sent`. */
export function recordingDevice(device: BoardDevice, sent: Sent[]): BoardDevice {
  return {
    ...{ identity: device.identity, uploadedBytes: 0 },
    loadProgram: (bank, image, options) => {
      sent.push(programNote('load', bank, image));
      return device.loadProgram(bank, image, options);
    },
    uploadCouplings: (bank, image, options) => device.uploadCouplings(bank, image, options),
    rewriteProgram: (bank, image, options) => {
      sent.push(programNote('rewrite', bank, image));
      return device.rewriteProgram(bank, image, options);
    },
    run: (options) => device.run(options),
    acquire: async (options) => {
      const run = await device.acquire(options);
      const { runSeed, firstTick = 0, keepState = false, burnInTicks, sampleCount, ticksPerSample } = options;
      const { outcome, ticksDone } = run.report;
      const bytes = new Uint8Array(run.codes.buffer, run.codes.byteOffset, run.codes.byteLength);
      sent.push({
        ...{ kind: 'run', runSeed, firstTick, keepState, burnInTicks, sampleCount, ticksPerSample },
        ...{ outcome, ticksDone, readings: createHash('sha256').update(bytes).digest('hex') },
      });
      return run;
    },
  };
}
