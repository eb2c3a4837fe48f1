import { expect, it } from 'vitest';
import { FRAME_OVERHEAD_BYTES } from '../../firmware-protocol/limits.js';
import { benchProgram, sameFrames } from '../../src/cli/commands/bench/link.js';
import { connect } from '../../src/connect.js';
import { solverBoard } from '../support/solver-board.js';

it.each([
  [8, Int8Array],
  [12, Int16Array],
] as const)('couplings of %i bits travel as they would in a program', (couplingBits, Codes) => {
  const { identity } = solverBoard('ideal-crossbar', { couplingBits });
  const { couplings } = benchProgram(identity, 200_000);
  expect(couplings).toBeInstanceOf(Codes);
  expect(couplings.byteLength).toBeGreaterThan(200_000 - 2 * identity.cells);
  expect(couplings.byteLength).toBeLessThanOrEqual(200_000);
  const largest = Array.from(couplings).reduce((max, code) => Math.max(max, code), 0);
  expect(largest).toBeLessThan(2 ** (couplingBits - 1));
  expect(largest).toBeGreaterThan(2 ** (couplingBits - 2));
});

it.each([8, 12])(
  'couplings of %i bits have, on request, as many zeros as those of a trained factor',
  (couplingBits) => {
    const { identity } = solverBoard('ideal-crossbar', { couplingBits });
    const { couplings, initialState } = benchProgram(identity, 200_000, 'mostlyZero');
    for (const codes of [couplings, initialState]) {
      const zeros = Array.from(codes).filter((code) => code === 0).length;
      expect(zeros / codes.length).toBeGreaterThan(0.88);
      expect(zeros / codes.length).toBeLessThan(0.92);
    }
  },
);

it('the frames of the bare socket are those of the upload, except for the acknowledgements between them', async () => {
  const device = await connect('emulator:ideal-64');
  try {
    const image = benchProgram(device.identity, 100_000);
    const frames = sameFrames(image, device.payloadBytesMax);
    const before = device.linkCounters.bytesSent;
    await device.uploadCouplings(0, image);
    const sent = device.linkCounters.bytesSent - before;
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    // In addition there are one defineProgram, and acknowledgements.
    expect(sent - bytes).toBeGreaterThanOrEqual(0);
    expect(sent - bytes).toBeLessThan(200);
    const codes = image.couplings.byteLength;
    expect(bytes - codes).toBeGreaterThan(frames.length * FRAME_OVERHEAD_BYTES);
  } finally {
    await device.close();
  }
});
