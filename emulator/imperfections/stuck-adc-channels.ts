import { drawBroken, drawWords } from './die-draws.js';
import { type DieInfo, type Fault, imperfection, list, percent, sharePpm } from './imperfection.js';

const DRAWS = { stuckAdcChannel: 18, stuckAdcCode: 19 };

/** ADC channels that always give the same code (device-model.md, "Imperfections"). */
export const stuckAdcChannels = imperfection({
  acts: 'time',
  rule: 'A share of the channels gives one code each, within ± V_fs.',
  size: (effect) => percent(effect.sharePpm),
  magnitudes: { sharePpm: sharePpm('ppm of all channels') },
  measured: {
    cells: list('named', 0, 8191, 'cells, ascending'),
    codes: list('named', -32768, 32767, 'an ADC code'),
  },
  draws: DRAWS,
  breaks(effect, die, { stuckCodes }, measured) {
    if (measured) {
      for (const [i, cell] of measured.cells.entries()) stuckCodes.set(cell, measured.codes[i]);
      return;
    }
    const words = new Uint32Array(die.cells);
    drawWords(die.dieSeed, DRAWS.stuckAdcCode, 0, words);
    for (const cell of drawBroken(die, DRAWS.stuckAdcChannel, effect.sharePpm))
      stuckCodes.set(cell, stuckCode(die, words[cell]));
  },
});

/** A stuck channel as a fault on demand. */
export const stuckAdcChannel: Fault = {
  words: 'the ADC of the cell gives one code from then on',
  rule: 'The channel gives one code from then on.',
  isOfCell: true,
  happens({ stuckCodes }, die, cell, word) {
    stuckCodes.set(cell, stuckCode(die, word));
  },
};

/** A code that a sound channel could give: |v| ≤ 1 V_fs. */
function stuckCode({ adcBits }: DieInfo, word: number): number {
  return (word | 0) >> (33 - adcBits);
}
