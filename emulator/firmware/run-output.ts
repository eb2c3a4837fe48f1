import { encodeEvent, encodeEventParts } from '../../firmware-protocol/codec.js';
import { RUN_OUTCOME } from '../../firmware-protocol/device-status.js';
import { CHANNEL } from '../../firmware-protocol/framing.js';
import type { Link } from '../../firmware-protocol/link/link.js';
import type { Board } from './board.js';
import type { RunEngine } from './run-engine.js';

/**
 * Hands blocks to the link as far as credit and queues allow, and after the last block the report of the run
 * (protocol.md, "End of a run"). The report leaves `placesKept` places of the command queue free, because a
 * command that is being executed needs one for its answer.
 */
export function sendRun(board: Board, link: Link, placesKept = 0): void {
  sendBlocks(board.run ?? board.lastRun, link);
  const { run } = board;
  if (!run) return;
  if (link.canSendUnsequenced && run.takePosition())
    link.sendUnsequenced(
      CHANNEL.sample,
      encodeEvent('blocksSent', 0, { runId: run.runId, blocks: run.blocksSent }),
    );
  if (!run.drained || link.freePlaces <= placesKept) return;
  // The report must not overtake the blocks. After an early end nobody waits for the blocks.
  const whole = run.outcome === RUN_OUTCOME.completed || run.outcome === RUN_OUTCOME.overload;
  if (whole && link.unsequencedQueued > 0) return;
  const report = run.report();
  link.send(encodeEvent('runEnded', 0, report));
  board.dropRun();
  board.lastRun = run;
  if (board.state === 'running')
    board.input(report.outcome === RUN_OUTCOME.overload ? 'overloaded' : 'completed');
}

function sendBlocks(run: RunEngine | undefined, link: Link): void {
  while (run && link.canSendUnsequenced) {
    const block = run.takeBlock();
    if (!block) return;
    link.sendUnsequenced(CHANNEL.sample, ...encodeEventParts('sampleBlock', 0, block));
    run.takeBack(block);
  }
}
