import { CELL_STATE, type Fault } from './imperfection.js';

/** A cell that nothing but the supply reaches (device-model.md, "Faults on demand"). */
export const saturatingCell: Fault = {
  words: 'the cell runs into one of its rails and stays there',
  rule: 'as dead, but e is the largest drive of either sign (item 1, bit 0)',
  isOfCell: true,
  happens({ cellStates }, _, cell, word) {
    cellStates[cell] = word & 1 ? CELL_STATE.atUpperRail : CELL_STATE.atLowerRail;
  },
};
