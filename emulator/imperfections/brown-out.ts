import type { Fault } from './imperfection.js';

/** The supply fails for a moment (device-model.md, "Faults on demand"). */
export const brownOut: Fault = {
  words: 'the supply fails for a moment: the board restarts, and what it held is lost',
  rule:
    'The board restarts right after that tick: a new boot epoch, programs and session lost, and no message to ' +
    'the host.',
  isOfCell: false,
  restarts: true,
};
