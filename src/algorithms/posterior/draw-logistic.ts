import { checkDevice, checkObject } from '../../argument-checks.js';
import { refuseTooLong } from '../../board/board-range.js';
import { refuseTooLarge } from '../../board/checked-system.js';
import type { SolverCost } from '../../board/cost.js';
import { overloadError } from '../../board/overload-error.js';
import { type Attempt, ranged } from '../../board/ranged.js';
import type { RunAddress } from '../../board/run-seed.js';
import { type BoardSession, inSession } from '../../board/session.js';
import type { BoardDevice, DeviceIdentity, RunReport } from '../../driver/device-api.js';
import { ThermolinkError } from '../../errors.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import { checkSamplingRequest } from '../sample.js';
import type { LogisticPosterior } from './logistic.js';
import { logisticProgram, logisticScale } from './logistic-program.js';

/** A request for one chain of a logistic regression on one board. */
export interface LogisticChainRequest {
  readonly posterior: LogisticPosterior;
  /** How many draws, at least 1. */
  readonly draws: number;
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  /** Called with the number of draws so far. */
  readonly onProgress?: (done: number) => void;
}

/** Draws of one chain, and their cost. */
export interface LogisticChain {
  /** draws × N; each row is a draw. */
  readonly draws: Matrix;
  /**
   * Whether the board says that its covariances are known. The rows of other boards have errors, so these
   * boards draw from another posterior.
   */
  readonly isCovarianceKnown: boolean;
  readonly cost: SolverCost;
}

/** Time between two draws, in time constants of the slowest mode at the maximum of the posterior. */
const SPACING = 2;
/** Number of spacings before the first draw. The start is the maximum of the posterior. */
const BURN_IN_SPACINGS = 6;
/** Largest number of draws of one board run. */
const DRAWS_PER_RUN = 256;
const ATTEMPTS_MAX = 6;

/**
 * Draws of a logistic regression from one board, whose rows have the logistic function as their element
 * (device-model.md, "Row element"). The board starts at the mode, the maximum of the posterior.
 *
 * On an ideal board means are off by at most a few hundredths of a standard deviation, because of the tick,
 * the nodes of the table and 16-bit codes. The errors of other boards are not compensated; R-hat over several
 * boards shows the errors that they do not share.
 *
 * Errors: BAD_ARGUMENT; TOO_LARGE; UNSUPPORTED for a board without row elements, or whose rows cannot hold
 * the observations, before a byte is sent; OVERLOAD; ABORTED; those of the device.
 */
export async function drawLogistic(
  device: BoardDevice,
  request: LogisticChainRequest,
): Promise<LogisticChain> {
  checkDevice(device);
  checkObject('The request', request, '{ posterior, draws: 1000, address: { seed: 1, step: 0, block: 0 } }');
  const { posterior, draws: count, address, signal, onProgress } = request;
  checkObject('posterior', posterior, 'logisticPosterior({ … })');
  const { inputs } = posterior;
  checkSamplingRequest({ count, address, signal, onProgress }, inputs.columns);
  const { identity } = device;
  refuseTooLarge({ kind: 'factored', factor: inputs, damping: posterior.priorPrecision }, identity);
  if (!identity.hasRowElement)
    throw new ThermolinkError('UNSUPPORTED', `The rows of the board ${identity.model} have no element.`, {
      hint: 'Use a board with row elements, for example emulator:ideal-1024.',
      data: { model: identity.model },
    });
  const firstScale = logisticScale(posterior, identity);
  const plan = () => logisticProgram(posterior, identity, firstScale);
  return inSession(device, { address, signal }, plan, async (session, first) => {
    refuseTooLong(Math.ceil(SPACING * first.slowestTicks) * (count + BURN_IN_SPACINGS));
    const draws = matrix(count, inputs.columns);
    onProgress?.(0);
    await ranged(rangeOf(firstScale, identity), (scale) =>
      drawAt(session, posterior, scale, draws, onProgress),
    );
    return { draws, isCovarianceKnown: identity.hasKnownCovariance, cost: session.cost };
  });
}

function rangeOf(firstScale: number, identity: DeviceIdentity) {
  return {
    firstScale,
    attemptsMax: ATTEMPTS_MAX,
    giveUp: (scale: number, overload: RunReport | undefined) =>
      overloadError(
        'The board runs into its rails at every scale that was tried.',
        'Its noise or its rows seem to be far from their programmed values; characterize the board.',
        overload,
        identity,
        { scale },
      ),
  };
}

/** Fills `draws` at one scale s_x. */
async function drawAt(
  session: BoardSession,
  posterior: LogisticPosterior,
  scale: number,
  draws: Matrix,
  onProgress: ((done: number) => void) | undefined,
): Promise<Attempt<true>> {
  const { image, solutionScale, slowestTicks } = session.charge('mapMs', () =>
    logisticProgram(posterior, session.identity, scale),
  );
  const ticksPerSample = Math.max(1, Math.ceil(SPACING * slowestTicks));
  await session.program(image);
  const cells = draws.columns;
  for (let done = 0; done < draws.rows; ) {
    const run = await session.acquire({
      burnInTicks: done === 0 ? BURN_IN_SPACINGS * ticksPerSample : ticksPerSample,
      sampleCount: Math.min(DRAWS_PER_RUN, draws.rows - done),
      ticksPerSample,
      continues: done > 0,
    });
    if (run.overloaded) return { overload: run.report };
    for (let at = 0; at < run.codes.length; at += cells, done++)
      draws.data.set(session.model.readOut(run.codes.subarray(at, at + cells), solutionScale), done * cells);
    onProgress?.(done);
  }
  return { answer: true };
}
