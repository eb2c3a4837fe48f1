import type { Device } from '../../../driver/device.js';
import { ThermolinkError } from '../../../errors.js';
import { counted, formatNumber, formatSeconds } from '../../../number-text.js';
import { boardCommand } from '../../board-command.js';
import { formatTable } from '../../output/table.js';
import { type SelfTest, selfTest } from './small-solve.js';

/** The status of a board, and its result for a small system. */
export interface BoardCheck {
  readonly fault: string;
  readonly roundTripMs: number;
  /** Undefined for a board with a latched fault, which runs nothing. */
  readonly solve?: SelfTest;
  readonly framesFaulty: number;
  readonly passed: boolean;
}

export const command = boardCommand({
  options: {},
  fallback: 'emulator:ideal-crossbar',
  example: `
Example:
  thermolink selftest --device serial:/dev/ttyACM0

Reads whether a fault is latched (the board's own test at power-on latches one if it fails), measures a round trip, and
solves a system of at most eight unknowns. The solve replaces the programs of the board. The exit code is 1 if a check
fails; with --json the figures are then in the data of the error.`,
  async run(_options, onBoard) {
    const { result, device } = await onBoard(async (board, { signal }) => checkBoard(board, signal));
    refuseFailed(device, result);
    return { json: { device, ...result }, text: checkText(device, result) };
  },
});

/** Errors: those of a call on the device. A solve that fails is a result. */
export async function checkBoard(device: Device, signal: AbortSignal): Promise<BoardCheck> {
  const { fault } = await device.readStatus({ signal });
  const roundTripMs = await device.ping({ signal });
  const solve = fault === 'none' ? await selfTest(device, signal) : undefined;
  const { framesFaulty } = await device.readCounters({ signal });
  return { fault, roundTripMs, ...(solve && { solve }), framesFaulty, passed: solve?.passed === true };
}

/** Throws DEVICE_FAULT for a test that failed. */
export function refuseFailed(device: string, check: BoardCheck): void {
  if (check.passed) return;
  const { fault, solve } = check;
  const why =
    fault !== 'none'
      ? `it has the latched fault ${fault}`
      : solve?.error
        ? `${solve.error.code}: ${solve.error.message}`
        : `the relative error of its solution is ${formatNumber(solve?.relativeError ?? Number.NaN)}, but at most ${solve?.tolerance} is accepted`;
  throw new ThermolinkError('DEVICE_FAULT', `The self-test of ${device} failed: ${why}`, {
    hint:
      fault !== 'none'
        ? 'Remove the cause, then run `thermolink acknowledge` or `thermolink reset`.'
        : 'Run `thermolink characterize`, which measures every cell.',
    data: { device, ...check },
  });
}

/** The output about a test that passed. */
export function checkText(device: string, { roundTripMs, solve, framesFaulty }: BoardCheck): string {
  const rows = [
    ['device', device],
    ['round trip', formatSeconds(roundTripMs / 1000)],
    ['small solve', solve?.what ?? ''],
    ['relative error', formatNumber(solve?.relativeError ?? 0)],
    ['damaged frames', counted(framesFaulty, 'frame')],
  ];
  return `self-test passed\n${formatTable(rows)}`;
}
