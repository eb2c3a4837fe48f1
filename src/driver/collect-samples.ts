import { ThermolinkError } from '../errors.js';
import { formatSeconds } from '../number-text.js';
import type { RunReport, SampleRange } from './device-api.js';
import type { RunStream } from './run-stream.js';

/**
 * If the host was stopped for at least this time (ms), the error of a watchdog trip names this pause as the
 * cause.
 */
const STOPPED_MS_TOLD = 100;

/** All samples of a run. */
export interface Samples {
  /** ADC codes [samplesTaken × cells], row-major; rows that are marked as lost are 0. */
  readonly codes: Int16Array;
  readonly report: RunReport;
  readonly lost: readonly SampleRange[];
}

/**
 * Data about feeding the watchdog of the board during a run. The error of a run that the watchdog ended shows
 * them.
 */
export interface WatchdogFeeding {
  /** Delay of the last feeding, ms. */
  readonly keepAliveLateMs: number;
  /** Time since the start of the run in which this process, or its machine, did not run, ms. */
  readonly stoppedMs: number;
}

/**
 * Reads a run to its end. Errors: those of the stream; DEVICE_FAULT and RUN_ENDED for a run that neither
 * completed nor overloaded.
 */
export async function collectSamples(
  run: RunStream,
  sampleCount: number,
  feeding: () => WatchdogFeeding,
): Promise<Samples> {
  const { cells } = run;
  const codes = new Int16Array(sampleCount * cells);
  // A block has whole samples, or a part of one.
  for await (const block of run.blocks) codes.set(block.codes, block.firstSample * cells + block.firstCell);
  const report = await run.finished;
  refuseEarlyEnd(report, feeding);
  return { codes: codes.subarray(0, report.samplesTaken * cells), report, lost: run.lost };
}

/** Throws DEVICE_FAULT and RUN_ENDED for a run that neither completed nor overloaded. */
export function refuseEarlyEnd(report: RunReport, feeding: () => WatchdogFeeding): void {
  if (report.outcome === 'fault')
    throw new ThermolinkError('DEVICE_FAULT', `The board latched a fault during run ${report.runId}.`, {
      hint: 'Read its status, remove the cause and acknowledge the fault.',
      data: { report },
    });
  if (report.outcome !== 'completed' && report.outcome !== 'overload') throw endedEarly(report, feeding());
}

function endedEarly(report: RunReport, feeding: WatchdogFeeding): ThermolinkError {
  const { runId, outcome } = report;
  const data = { report, ...feeding };
  if (outcome === 'watchdog' && feeding.stoppedMs >= STOPPED_MS_TOLD)
    return new ThermolinkError(
      'RUN_ENDED',
      `The watchdog of the board ended run ${runId}: the host was stopped for ${formatSeconds(feeding.stoppedMs / 1000)}.`,
      {
        retryable: true,
        hint: 'Nothing is wrong with the board; a host that is stopped or suspended can not feed the watchdog. Run it again.',
        data,
      },
    );
  return new ThermolinkError('RUN_ENDED', `Run ${runId} ended early: ${outcome}.`, {
    retryable: true,
    hint: 'Read the status; after a stop or a watchdog trip, acknowledge and load the program again.',
    data,
  });
}
