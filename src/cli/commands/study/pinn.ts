import { STUDIES } from './studies.js';
import { studyCommand } from './study-command.js';

export const command = studyCommand(
  STUDIES.pinn,
  `Solves Poisson equations in five and two dimensions, a heat equation and Burgers' equation by networks, trained with
the curvature on a board, by the same method solved exactly on the host, by L-BFGS, BFGS, Adam and SGD with momentum,
and by the same steps without the board's answer.`,
);
