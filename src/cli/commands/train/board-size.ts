import { refuseTooLarge } from '../../../board/checked-system.js';
import type { DeviceIdentity } from '../../../driver/device-api.js';
import { ThermolinkError } from '../../../errors.js';
import type { ResolvedRequest } from '../../../learning/train-request.js';
import { counted } from '../../../number-text.js';

/**
 * Refuses a problem that is too large for the board before anything is overwritten; the solver would refuse
 * it in the first step. The factor K has one row for each class of each curvature example, and one column for
 * each parameter.
 *
 * Errors: TOO_LARGE, which names the most curvature examples that fit if their number is what does not;
 * UNSUPPORTED.
 */
export function refuseTooLargeForBoard(
  { network, batch, curvatureExamples }: Omit<ResolvedRequest, 'optimizer'>,
  board: DeviceIdentity,
): void {
  const { outputCount: classes, parameterCount: columns } = network;
  const rows = curvatureExamples * classes;
  try {
    // The check does not look at the entries.
    refuseTooLarge(
      { kind: 'factored', factor: { rows, columns, data: new Float64Array(0) }, damping: 0 },
      board,
    );
  } catch (error) {
    const examplesMax = Math.min(batch, Math.floor(board.rows / classes));
    const isByExamples = columns <= board.cells && examplesMax >= 1;
    if (!(error instanceof ThermolinkError) || error.code !== 'TOO_LARGE' || !isByExamples) throw error;
    throw new ThermolinkError('TOO_LARGE', error.message, {
      hint:
        `Each curvature example takes ${counted(classes, 'row')}, one for each class: ` +
        `lower --curvature-examples to ${examplesMax} at most, or choose a larger board.`,
      data: { ...error.data, curvatureExamples, curvatureExamplesMax: examplesMax },
    });
  }
}
