import { describe, expect, it } from 'vitest';
import { connect } from '../../../src/connect.js';
import { calibrate } from '../../../src/measure/calibrate.js';
import { calibrationRecordOf } from '../../../src/measure/calibration-record.js';
import { characterize } from '../../../src/measure/characterize.js';
import type { FinishedPart, FinishedParts } from '../../../src/measure/lab-board.js';
import { recordOf } from '../../../src/measure/record.js';

const DATE = new Date('2026-03-01T12:00:00Z');

/** The functions that a measurement may use. */
interface Use {
  readonly signal?: AbortSignal;
  readonly finished?: FinishedParts;
  readonly onProgress?: (fraction: number) => void;
}

async function onBoard<Result>(work: (device: Awaited<ReturnType<typeof connect>>) => Promise<Result>) {
  const device = await connect('emulator:prototype-8?die=3');
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
      onBoard(async (device) => {
        const request = { seed: 5, samples: 1000, crosspointsPerRow: 4 };
        const { board, ...record } = recordOf(await characterize(device, { ...request, ...use }), DATE);
        return { ...record, board: board.serialNumber };
      }),
  ],
  ['calibration', { tags: 'long' }, calibration(true)],
  ['calibration of cells', {}, calibration(false)],
];

function calibration(crosspoints: boolean): (use: Use) => Promise<unknown> {
  return (use) =>
    onBoard(async (device) => {
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
