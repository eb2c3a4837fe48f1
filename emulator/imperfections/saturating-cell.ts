import { CELL_STATE, type Fault } from './imperfection.js';

/** A cell that only the supply reaches (device-model.md, "Faults on demand"). */
export const saturatingCell: Fault = {
  words: 'the cell runs into one of its rails and stays there',
  rule: 'Like a dead cell, but e is the largest drive: positive if bit 0 of item 1 is set, otherwise negative.',
  isOfCell: true,
  happens({ cellStates }, _, cell, word) {
    cellStates[cell] = word & 1 ? CELL_STATE.atUpperRail : CELL_STATE.atLowerRail;
  },
};
