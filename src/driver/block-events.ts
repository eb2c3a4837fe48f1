import { RUN_OUTCOME } from '../../firmware-protocol/device-status.js';
import { BLOCK_FLAG } from '../../firmware-protocol/messages/acquisition.js';
import type { Event } from '../../firmware-protocol/messages/index.js';
import { ThermolinkError } from '../errors.js';
import type { RunOutcome, RunReport, SampleBlock } from './device-api.js';

const OUTCOME_NAMES = Object.keys(RUN_OUTCOME) as RunOutcome[];

export function contradiction(portName: string, { codes, ...block }: Event<'sampleBlock'>): ThermolinkError {
  return new ThermolinkError(
    'NOT_A_BOARD',
    `The board on ${portName} sent a sample block that contradicts its run.`,
    {
      hint: 'Its firmware does not follow the protocol; see docs/protocol.md.',
      data: { ...block, codeBytes: codes.length },
    },
  );
}

/** The block with its codes as numbers, or undefined when its sizes contradict each other. */
export function sampleBlock(event: Event<'sampleBlock'>): SampleBlock | undefined {
  const { runId, firstSample, sampleCount, firstCell, cellCount, tick, flags, codes } = event;
  if (codes.length !== 2 * sampleCount * cellCount) return undefined;
  // Bulk data starts at any byte of the payload; the copy is aligned.
  const aligned = codes.slice();
  return {
    runId,
    firstSample,
    sampleCount,
    firstCell,
    cellCount,
    tick,
    overload: (flags & BLOCK_FLAG.overload) !== 0,
    clipped: (flags & BLOCK_FLAG.clip) !== 0,
    codes: new Int16Array(aligned.buffer, 0, sampleCount * cellCount),
  };
}

function indices(bytes: Uint8Array): number[] {
  return Array.from(
    { length: Math.floor(bytes.length / 2) },
    (_, i) => bytes[2 * i] + 256 * bytes[2 * i + 1],
  );
}

export function runReport(event: Event<'runEnded'>): RunReport {
  return {
    runId: event.runId,
    outcome: OUTCOME_NAMES[event.outcome],
    ticksDone: event.ticksDone,
    samplesTaken: event.samplesTaken,
    samplesLost: event.samplesLost,
    overloadedCells: indices(event.overloadedCells),
    overloadedCellCount: event.overloadedCellCount,
    overloadedRows: indices(event.overloadedRows),
    overloadedRowCount: event.overloadedRowCount,
  };
}
