import { STUDIES } from './studies.js';
import { studyCommand } from './study-command.js';

export const command = studyCommand(
  STUDIES.quantum,
  `Trains the ground states of an Ising ring of 16 spins and a Heisenberg ring of 12 with the curvature on a board, by
digital natural gradient, by conjugate gradients of 3, 10 and 30 products, by Adam, by SGD with momentum, and by the
same steps without the board's answer.`,
);
