import { expect, it } from 'vitest';
import { drawSamples } from '../../src/algorithms/sample.js';
import { connect } from '../../src/connect.js';
import { matrix } from '../../src/linalg/matrix.js';

const precision = {
  kind: 'dense',
  matrix: matrix(
    4,
    4,
    Float64Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 2 : 0.3)),
  ),
} as const;
const request = { precision, count: 64, address: { seed: 1, step: 0, block: 0 } };

it.each(['deadCell:2@1', 'stuckAdcChannel:2@1'])(
  'draws of a board with %s are refused, and the cell is named',
  async (fault) => {
    const device = await connect(`emulator:ideal-8?faults=${fault}`);
    try {
      await expect(drawSamples(device, request)).rejects.toMatchObject({
        code: 'DEVICE_FAULT',
        data: { cells: [2] },
      });
    } finally {
      await device.close();
    }
  },
);
