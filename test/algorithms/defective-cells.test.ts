import { describe, expect, it } from 'vitest';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import { drawSamples } from '../../src/algorithms/sample.js';
import { connect } from '../../src/connect.js';
import type { ThermolinkError } from '../../src/errors.js';
import { matrix } from '../../src/linalg/matrix.js';
import { eigenvalues, normalVector, problemRandom, symmetricWith } from '../support/solver-problems.js';

const address = { seed: 5, step: 0, block: 0 };
const SEED = 71;

/** Solves eight unknowns on the board of the URI, and returns the error. */
async function failureOn(uri: string, tolerance = 1e-2): Promise<ThermolinkError> {
  const random = problemRandom(SEED);
  const system = {
    kind: 'dense',
    matrix: symmetricWith(eigenvalues('log-uniform', 10, 8), random),
  } as const;
  const drive = normalVector(random, 8);
  const device = await connect(uri);
  try {
    return await createAnalogSolver(device)
      .solve({ system, drive, tolerance, address })
      .then(
        () => expect.unreachable('the board solved it'),
        (error: ThermolinkError) => error,
      );
  } finally {
    await device.close();
  }
}

const faultsOf = (cells: readonly number[]): string => cells.map((cell) => `deadCell:${cell}@0`).join();

describe('a solve that dead cells spoil', () => {
  it.each([[[3]], [[0, 6]], [[1, 2, 5]], [[0, 1, 2, 3, 4, 5, 6, 7]]])('names cells %j', async (cells) => {
    for (const profile of ['ideal-8', 'prototype-64']) {
      const error = await failureOn(`emulator:${profile}?faults=${faultsOf(cells)}`);
      expect(error).toMatchObject({ code: 'TOLERANCE_NOT_MET', data: { deadCells: cells } });
      expect(error.message).toContain(
        cells.length === 1 ? `; cell ${cells[0]} looks dead: ` : `; cells ${cells.join(', ')} look dead: `,
      );
      expect(error.hint).toContain('Use another board');
    }
  });

  it('reports the reading of the cell and the value that its equation requires', async () => {
    const { message } = await failureOn('emulator:ideal-8?faults=deadCell:3@0');
    const [, read, asked] = /it reads (\S+) V_fs, but its equation asks for (\S+)\. /
      .exec(message)!
      .map(Number);
    expect(read).toBe(0);
    // Readings are scaled into 20 to 80 % of the rail of 1.25 V_fs, so the required value is about as large.
    expect(Math.abs(asked)).toBeGreaterThan(0.01);
  });

  it('names the dead cells of a factored system too', async () => {
    const factor = matrix(
      4,
      4,
      Float64Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0.2)),
    );
    const device = await connect('emulator:ideal-crossbar?faults=deadCell:2@0');
    try {
      const answer = createAnalogSolver(device).solve({
        system: { kind: 'factored', factor, damping: 0.5 },
        drive: Float64Array.of(1, -2, 3, 1),
        tolerance: 1e-2,
        address,
      });
      await expect(answer).rejects.toMatchObject({ code: 'TOLERANCE_NOT_MET', data: { deadCells: [2] } });
    } finally {
      await device.close();
    }
  });
});

it.each([
  'ideal-8?faults=stuckAdcChannel:3@0',
  'ideal-8?faults=stuckAdcChannel:0@0,stuckAdcChannel:7@0',
  'prototype-64?faults=stuckAdcChannel:5@0',
])('no cell is called dead on %s', async (board) => {
  const error = await failureOn(`emulator:${board}`);
  expect(error.code).toBe('TOLERANCE_NOT_MET');
  expect(error.data).not.toHaveProperty('deadCells');
  expect(error.message).not.toContain('dead');
});

describe('a cell that is stuck at its rail', () => {
  it.each([
    ['from tick 0 on', 'saturatingCell:6@0', 'No scale keeps'],
    ['from tick 2000 on', 'saturatingCell:6@2000', 'whenever its noise is on'],
  ])('%s is named with its rail', async (_, fault, what) => {
    const error = await failureOn(`emulator:ideal-8?faults=${fault}`, 0.1);
    expect(error).toMatchObject({
      code: 'OVERLOAD',
      data: { overloadedCells: [6], overloadedCellCount: 1, rail: 1.25 },
      hint: expect.stringContaining('stuck at its rail'),
    });
    expect(error.message).toContain(what);
    expect(error.message).toContain('cell 6 stood at the rail of ±1.25 V_fs (±1.25 V)');
  });

  it('is named by an error of `drawSamples`', async () => {
    const precision = { kind: 'dense', matrix: matrix(2, 2, Float64Array.of(4, 1, 1, 3)) } as const;
    const device = await connect('emulator:ideal-8?faults=saturatingCell:1@0');
    try {
      await expect(drawSamples(device, { precision, count: 50, address })).rejects.toMatchObject({
        code: 'OVERLOAD',
        message: expect.stringContaining('In the last run cell 1 stood at the rail'),
      });
    } finally {
      await device.close();
    }
  });
});

it('a relaxation that runs away names the cells that it drove to their rails', async () => {
  const device = await connect('emulator:ideal-8');
  try {
    const answer = createAnalogSolver(device).relax({
      system: { kind: 'dense', matrix: matrix(2, 2, Float64Array.of(-1, 0, 0, -1)) },
      drive: Float64Array.of(1, 1),
      initial: Float64Array.of(1, 1),
      time: 40,
      address,
    });
    await expect(answer).rejects.toMatchObject({
      code: 'OVERLOAD',
      message: expect.stringContaining('In the last run cells 0, 1 stood at the rail of ±1.25 V_fs'),
      hint: expect.not.stringContaining('stuck'),
    });
  } finally {
    await device.close();
  }
});
