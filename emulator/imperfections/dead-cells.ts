import { drawBroken } from './die-draws.js';
import { CELL_STATE, type Fault, imperfection, list, percent, sharePpm } from './imperfection.js';

const DRAWS = { deadCell: 17 };

/** Cells that stand at 0 V for ever (device-model.md, "Imperfections"). */
export const deadCells = imperfection({
  acts: 'time',
  rule: 'A share of the cells stands at 0 V.',
  size: (effect) => percent(effect.sharePpm),
  magnitudes: { sharePpm: sharePpm('ppm of all cells') },
  measured: { cells: list('named', 0, 8191, 'cells, ascending') },
  draws: DRAWS,
  breaks(effect, die, { cellStates }, measured) {
    for (const cell of measured?.cells ?? drawBroken(die, DRAWS.deadCell, effect.sharePpm))
      cellStates[cell] = CELL_STATE.dead;
  },
});

/** A dead cell as a fault on demand. */
export const deadCell: Fault = {
  words: 'the cell stands at 0 V from then on',
  rule: 'The line to the cell, e, λ and a become 0. v, c and r are cleared. The cell stays at 0 V when v is loaded.',
  isOfCell: true,
  happens({ cellStates }, _, cell) {
    cellStates[cell] = CELL_STATE.dead;
  },
};
