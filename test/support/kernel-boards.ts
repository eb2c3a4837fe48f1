import { expect } from 'vitest';
import { CellArray } from '../../emulator/analog/cell-array.js';
import type { Die } from '../../emulator/analog/die.js';
import { OracleTicks } from '../../emulator/analog/oracle-ticks.js';
import { fastestTicks, newKernelTicks } from '../../emulator/kernel/kernel-ticks.js';
import { stateBytes } from '../../emulator/state-digest.js';

/** Boards with the oracle, with the kernel, and with the kernel that reads each coupling once if it can. */
export function boardsOf(die: Die) {
  const arrays = [
    new CellArray(die, new OracleTicks(die)),
    new CellArray(die, fastestTicks(die)),
    new CellArray(die, newKernelTicks(die, 0) ?? new OracleTicks(die)),
  ];
  return {
    all: <T>(act: (array: CellArray) => T): T[] => arrays.map(act),
    expectEqual(tick = 0) {
      const [oracle, ...others] = arrays.map((array) => Buffer.from(stateBytes(array, tick)));
      const differences = others.map((bytes) =>
        bytes.equals(oracle) ? 'none' : `from byte ${bytes.findIndex((byte, i) => byte !== oracle[i])}`,
      );
      expect(differences).toEqual(['none', 'none']);
    },
  };
}
