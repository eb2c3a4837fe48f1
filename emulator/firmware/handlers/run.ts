import { AVERAGE_BATCHES_MAX, SAFE_INTEGER_MAX } from '../../../firmware-protocol/limits.js';
import type { Command } from '../../../firmware-protocol/messages/index.js';
import { START_STATE, STATISTICS } from '../../../firmware-protocol/messages/run.js';
import { REFUSAL } from '../../../firmware-protocol/messages/system.js';
import { OWN_MOMENT_CELLS_MAX } from '../hello.js';
import { Refused } from '../refused.js';
import { RunEngine } from '../run-engine.js';
import { sendRun } from '../run-output.js';
import type { Handlers } from './handlers.js';

/** Largest number of bytes that an answer to `readAverages` has besides its sums. */
const AVERAGES_OVERHEAD_BYTES = 24;

/** Why a run can't add up its samples as the host asks (protocol.md, "Averages"); undefined if it can. */
function badAverages(
  { statistics, sampleCount, batchSamples }: Command<'start'>,
  cells: number,
): string | undefined {
  if (statistics === STATISTICS.samples)
    return batchSamples === 0 ? undefined : 'batches of samples that are sent';
  const batches = sampleCount / batchSamples;
  if (!(batches >= 1 && batches <= AVERAGE_BATCHES_MAX) || !Number.isInteger(batches))
    return `${sampleCount} samples in batches of ${batchSamples}`;
  if (statistics === STATISTICS.secondMoments && cells > OWN_MOMENT_CELLS_MAX)
    return `products of ${cells} cells, at most ${OWN_MOMENT_CELLS_MAX}`;
  return undefined;
}

export const runHandlers = {
  /** Starts a run, or refuses in the order of protocol.md, "Start of a run". */
  start({ board, link, session }, fields) {
    const { committed, image } = board.memory.bank(fields.bank);
    if (!committed || !image) throw new Refused(REFUSAL.notCommitted, `bank ${fields.bank}`);
    const ticks = fields.burnInTicks + fields.sampleCount * fields.ticksPerSample;
    if (!(fields.firstTick + ticks <= SAFE_INTEGER_MAX))
      throw new Refused(REFUSAL.outOfRange, 'the run would pass tick 2⁵³');
    const shape = badAverages(fields, image.cells);
    if (shape) throw new Refused(REFUSAL.outOfRange, shape);
    // An aborted run may not have sent its report yet. The report goes first, and one place stays free for
    // the answer.
    sendRun(board, link, 1);
    if (board.run) throw new Refused(REFUSAL.wrongState, `run ${board.runId} is not reported yet`);
    board.input('started');
    board.cells.clearFlags();
    if (fields.startState === START_STATE.load) board.cells.loadInitialState(image.initialState);
    board.runId = ++session.lastRunId;
    board.lastRun = undefined;
    board.tick = fields.firstTick;
    board.run = new RunEngine(board.runId, fields, committed, board.cells, link.payloadBytesMax);
    return { runId: board.runId };
  },

  readAverages({ board, link }, { runId, part, firstEntry, count }) {
    const run = board.lastRun?.runId === runId ? board.lastRun : undefined;
    if (!run?.averages) throw new Refused(REFUSAL.wrongState, `nothing was added up of run ${runId}`);
    const sums = run.averages.read(part, firstEntry, count);
    if (!sums) throw new Refused(REFUSAL.outOfRange, `entry ${firstEntry + count} is beyond the last sum`);
    if (sums.length > link.payloadBytesMax - AVERAGES_OVERHEAD_BYTES)
      throw new Refused(REFUSAL.outOfRange, `${sums.length} bytes do not fit a frame`);
    return { samples: run.averages.samples, flags: run.averages.flags, sums };
  },

  abort({ board, session }, { runId }) {
    if (runId > session.lastRunId) throw new Refused(REFUSAL.outOfRange, `there was no run ${runId}`);
    if (board.state === 'running' && board.run?.runId === runId) board.input('aborted');
    return {};
  },
} satisfies Partial<Handlers>;
