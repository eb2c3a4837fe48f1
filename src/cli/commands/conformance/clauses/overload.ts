import { RUN_OUTCOME } from '../../../../../firmware-protocol/device-status.js';
import type { Command, Event } from '../../../../../firmware-protocol/messages/index.js';
import type { ProgramImage } from '../../../../../firmware-protocol/program-image.js';
import { type Bench, overloading, Unseen } from '../clause.js';

/**
 * Time in time constants after which every cell with the largest drive has passed its rail, if it has one.
 */
const OVERLOAD_TAU = 64;

/** Runs cells into their rail and returns the report of the run. Throws `Unseen` if they have no rail. */
export async function overload(
  use: Bench,
  change: { readonly image?: ProgramImage; readonly run?: Partial<Command<'start'>> } = {},
): Promise<Event<'runEnded'>> {
  await use.load(change.image ?? overloading(use.board));
  const burnInTicks = OVERLOAD_TAU * 2 ** use.board.tickLog2;
  await use.start({ burnInTicks, ...change.run });
  const report = await use.ended();
  if (report.outcome !== RUN_OUTCOME.overload)
    throw new Unseen('the largest drive drives no cell past its rail');
  return report;
}
