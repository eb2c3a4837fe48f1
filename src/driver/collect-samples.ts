import { ThermolinkError } from '../errors.js';
import type { RunReport, SampleRange } from './device-api.js';
import type { RunStream } from './run-stream.js';

/** All samples of a run. */
export interface Samples {
  /** ADC codes [samplesTaken × cells], row-major; rows that are marked as lost are 0. */
  readonly codes: Int16Array;
  readonly report: RunReport;
  readonly lost: readonly SampleRange[];
}

/**
 * Reads a run to its end. `keepAliveLateMs` tells how late the watchdog was fed last; the error shows it.
 * Errors: those of the stream; DEVICE_FAULT and RUN_ENDED for a run that neither completed nor overloaded.
 */
export async function collectSamples(
  run: RunStream,
  sampleCount: number,
  keepAliveLateMs: () => number,
): Promise<Samples> {
  const { cells } = run;
  const codes = new Int16Array(sampleCount * cells);
  // A block has whole samples, or a part of one.
  for await (const block of run.blocks) codes.set(block.codes, block.firstSample * cells + block.firstCell);
  const report = await run.finished;
  if (report.outcome === 'fault')
    throw new ThermolinkError('DEVICE_FAULT', `The board latched a fault during run ${run.runId}.`, {
      hint: 'Read its status, remove the cause and acknowledge the fault.',
      data: { report },
    });
  if (report.outcome !== 'completed' && report.outcome !== 'overload')
    throw new ThermolinkError('RUN_ENDED', `Run ${run.runId} ended early: ${report.outcome}.`, {
      retryable: true,
      hint: 'Read the status; after a stop or a watchdog trip, acknowledge and load the program again.',
      data: { report, keepAliveLateMs: keepAliveLateMs() },
    });
  return { codes: codes.subarray(0, report.samplesTaken * cells), report, lost: run.lost };
}
