import { describe, expect, test } from 'vitest';
import { ProgramMemory } from '../../emulator/firmware/program-memory.js';
import { findProfile } from '../../emulator/index.js';
import { NO_ROW_ELEMENT } from '../../firmware-protocol/limits.js';
import { SECTION } from '../../firmware-protocol/messages/program.js';
import { PROGRAM_MODE } from '../../firmware-protocol/program-image.js';

const ROWS = 1024;

/** A memory in which all couplings of a program with these cells are written. */
function written(cells: number): ProgramMemory {
  const memory = new ProgramMemory({ profile: findProfile('ideal-crossbar')!, dieSeed: 1 });
  const size = { mode: PROGRAM_MODE.factored, cells, rows: ROWS, couplingBits: 16, rowAttenuation: 0 };
  memory.define({ bank: 0, ...size, linearRows: NO_ROW_ELEMENT });
  memory.write(0, SECTION.couplings, 0, new Uint8Array(2 * ROWS * cells));
  return memory;
}

// A stop waits while the board converts couplings. So only a commit may convert more than a million.
describe('the write of the last coupling', () => {
  test('converts a program of 1,024 × 1,024 couplings', () => {
    expect(written(1024).prepare(0, ROWS * 1024)?.forward.length).toBe(ROWS * 1024);
  });

  test('does not convert a larger program, nor one with missing entries', () => {
    expect(written(1025).prepare(0, ROWS * 1025)).toBeUndefined();
    expect(written(1024).prepare(0, ROWS * 1024 - 1)).toBeUndefined();
  });
});
