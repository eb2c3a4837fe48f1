export { DAMPING_STEP } from '../mapping/board-range.js';
