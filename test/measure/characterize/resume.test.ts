import { describe, expect, it } from 'vitest';
import { EmulatedDevice, findProfile } from '../../../emulator/index.js';
import { Device } from '../../../src/driver/device.js';
import { calibrate } from '../../../src/measure/calibrate.js';
import { calibrationRecordOf } from '../../../src/measure/calibration-record.js';
import { characterize } from '../../../src/measure/characterize.js';
import type { FinishedPart, FinishedParts } from '../../../src/measure/lab-board.js';
import { recordOf } from '../../../src/measure/record.js';
import { ServedDevice } from '../../../src/serve/serve-device.js';
import { memoryPortPair } from '../../../src/transport/memory-port.js';

const DATE = new Date('2026-03-01T12:00:00Z');

/** The functions that a measurement may use. */
interface Use {
  readonly signal?: AbortSignal;
  readonly finished?: FinishedParts;
  readonly onProgress?: (fraction: number) => void;
}

async function onBoard<Result>(cells: number, work: (device: Device) => Promise<Result>): Promise<Result> {
  const [host, far] = memoryPortPair('board');
  const profile = { ...findProfile('prototype-8')!, cells };
  new ServedDevice(new EmulatedDevice({ profile, dieSeed: 3 }), far);
  const device = await Device.open(host);
  try {
    return await work(device);
  } finally {
    await device.close();
  }
}

const MEASUREMENTS: [string, { tags?: 'long' }, (use: Use) => Promise<unknown>][] = [
  [
    'characterization',
    { tags: 'long' },
    (use) =>
      onBoard(8, async (device) => {
        const request = { seed: 5, samples: 1000, crosspointsPerRow: 4 };
        const { board, ...record } = recordOf(await characterize(device, { ...request, ...use }), DATE);
        return { ...record, board: board.serialNumber };
      }),
  ],
  ['calibration', { tags: 'long' }, calibration(8, true)],
  ['calibration of cells', { tags: 'long' }, calibration(8, false)],
  ['calibration of three cells', {}, calibration(3, false)],
];

function calibration(cells: number, crosspoints: boolean): (use: Use) => Promise<unknown> {
  return (use) =>
    onBoard(cells, async (device) => {
      const result = await calibrate(device, { seed: 5, samples: 1000, crosspoints, ...use });
      const { board, ...record } = calibrationRecordOf(result, DATE, 30);
      return { ...record, board: board.serialNumber };
    });
}

describe.each(MEASUREMENTS)('a %s that is interrupted', (_, options, measure) => {
  it('several times continues from its finished parts and finds the same numbers', options, async () => {
    const expected = await measure({});
    const parts = new Map<string, FinishedPart>();
    const measured: string[] = [];
    const finished: FinishedParts = {
      get: (name) => parts.get(name),
      add: (name, part) => {
        measured.push(name);
        parts.set(name, structuredClone(part));
      },
    };
    for (const limit of [0.2, 0.5, 0.8]) {
      const controller = new AbortController();
      const onProgress = (fraction: number): void => {
        if (fraction > limit) controller.abort();
      };
      await expect(measure({ signal: controller.signal, finished, onProgress })).rejects.toMatchObject({
        code: 'ABORTED',
      });
    }
    expect(parts.size).toBeGreaterThan(4);
    expect(await measure({ finished })).toEqual(expected);
    // No part was measured twice.
    expect(new Set(measured).size).toBe(measured.length);
  });
});
