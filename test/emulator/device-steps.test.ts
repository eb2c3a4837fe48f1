import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { CellArray } from '../../emulator/analog/cell-array.js';
import { commitProgram } from '../../emulator/analog/effective-program.js';
import { OracleTicks } from '../../emulator/analog/oracle-ticks.js';
import { newKernelTicks } from '../../emulator/kernel/kernel-ticks.js';
import { stateDigest } from '../../emulator/state-digest.js';
import { arrayState, idealBoard } from '../support/analog-boards.js';
import { DEVICE_STEPS, imageOfSteps } from '../support/device-steps.js';
import { PYTHON } from '../support/python.js';

test.each(DEVICE_STEPS)('$name', (steps) => {
  const { board, program, dieSeed, runSeed, firstTick, ticks, expected } = steps;
  const { cells, rows } = program;
  const image = imageOfSteps(steps);
  const die = idealBoard({ ...board, cells, rows }, dieSeed);
  const committed = commitProgram(die, image);
  for (const computed of [new OracleTicks(die), newKernelTicks(die)!, newKernelTicks(die, 0)!]) {
    const array = new CellArray(die, computed);
    array.loadInitialState(image.initialState);
    array.advance(committed, ticks, firstTick, runSeed, false);
    const adc = new Int16Array(cells);
    array.readAdc(adc);
    const digest = stateDigest(array, firstTick + ticks);
    expect({ ...arrayState(array, cells, rows), adc16: Array.from(adc), digest }).toEqual(expected);
  }
});

test('the Python script writes the same vectors again', { tags: 'long' }, (context) => {
  try {
    execFileSync(
      PYTHON ?? 'python3',
      ['firmware-protocol/tools/scripts/device-model-vectors.py', '--check'],
      {
        encoding: 'utf8',
      },
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return context.skip('no python3 here');
    throw error;
  }
});
