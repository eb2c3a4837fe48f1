import { SAFE_INTEGER_MAX } from '../../../firmware-protocol/limits.js';
import { START_STATE } from '../../../firmware-protocol/messages/run.js';
import { REFUSAL } from '../../../firmware-protocol/messages/system.js';
import { Refused } from '../refused.js';
import { RunEngine } from '../run-engine.js';
import { sendRun } from '../run-output.js';
import type { Handlers } from './handlers.js';

export const runHandlers = {
  /** Starts a run, or refuses in the order of protocol.md, "Start of a run". */
  start({ board, link, session }, fields) {
    const { committed, image } = board.memory.bank(fields.bank);
    if (!committed || !image) throw new Refused(REFUSAL.notCommitted, `bank ${fields.bank}`);
    const ticks = fields.burnInTicks + fields.sampleCount * fields.ticksPerSample;
    if (!(fields.firstTick + ticks <= SAFE_INTEGER_MAX))
      throw new Refused(REFUSAL.outOfRange, 'the run would pass tick 2⁵³');
    // An aborted run may still owe its report, which goes first. One place stays free for the answer.
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

  abort({ board }, { runId }) {
    if (board.state === 'running' && board.run?.runId === runId) board.input('aborted');
    return {};
  },
} satisfies Partial<Handlers>;
