import type { ToHost } from '../../firmware-protocol/codec.js';
import { deviceStateName } from '../../firmware-protocol/device-status.js';
import type { LinkCounters } from '../../firmware-protocol/link/counters.js';
import type { FrameNote } from '../../firmware-protocol/link/frame-log.js';
import type { Link } from '../../firmware-protocol/link/link.js';
import { type CommandName, commandRow } from '../../firmware-protocol/messages/index.js';
import { REFUSAL } from '../../firmware-protocol/messages/system.js';
import { type ErrorCode, ThermolinkError } from '../errors.js';
import { helloRefusedError } from './hello.js';

/** Data of an error about the link: its counters and the last frames of both directions. */
export interface Evidence {
  readonly counters: LinkCounters;
  readonly lastFrames: readonly FrameNote[];
}

export function evidence(link: Link): Evidence {
  return { counters: structuredClone(link.counters), lastFrames: link.frames.notes };
}

/** Whether a command that was sent and not answered may have had an effect (protocol.md, "At most once"). */
function mayHaveHappened(name: CommandName): boolean {
  const row = commandRow(name);
  return row.delivery === 'once' && row.channel === 'command';
}

/** The board did not answer in time. */
export function timeoutError(name: CommandName, timeoutMs: number, seen: Evidence): ThermolinkError {
  const unknown = mayHaveHappened(name);
  return new ThermolinkError('TIMEOUT', `The board did not answer ${name} within ${timeoutMs} ms.`, {
    retryable: !unknown,
    hint: unknown
      ? 'The session is open and the command may still be carried out: stop the board, or read its status before you go on.'
      : 'Check the connection with `thermolink info`.',
    data: { command: name, timeoutMs, ...seen },
  });
}

/** The error of a deadline that passed while the board was being looked for. */
export function stillLostError(
  name: CommandName,
  timeoutMs: number,
  portName: string,
  seen: Evidence,
): ThermolinkError {
  return new ThermolinkError(
    'LINK_LOST',
    `The board on ${portName} was lost, and ${name} waited ${timeoutMs} ms in vain for it to be found again.`,
    {
      retryable: !mayHaveHappened(name),
      hint: 'Check the cable and that the board has power. The search for the board goes on.',
      data: { command: name, timeoutMs, ...seen },
    },
  );
}

export function portClosedError(portName: string, cause: Error | undefined): ThermolinkError {
  return new ThermolinkError('LINK_LOST', `The port ${portName} was closed.`, {
    cause,
    retryable: true,
    hint: 'Check the cable and that the board has power, then connect again.',
  });
}

/** The error of a line that damages too many frames. A new session with shorter frames is opened. */
export function frameDamageError(portName: string, frameBytes: number): ThermolinkError {
  return new ThermolinkError(
    'LINK_LOST',
    `The line to ${portName} damages bytes; its frames are now ${frameBytes} bytes long at most.`,
    { retryable: true, hint: 'Check the cable, its length and the baud rate.' },
  );
}

export function writeError(portName: string, cause: unknown): ThermolinkError {
  return new ThermolinkError('LINK_LOST', `Writing to ${portName} failed.`, { cause, retryable: true });
}

/** The connection ended while a command waited for its answer. */
export function outcomeError(name: CommandName, cause: ThermolinkError): ThermolinkError {
  // The caller who closed the device knows what was in progress. A replayed session has no board.
  if (!mayHaveHappened(name) || cause.code === 'ABORTED' || cause.code === 'REPLAY_MISMATCH') return cause;
  return new ThermolinkError('OUTCOME_UNKNOWN', `The link was lost before ${name} was answered.`, {
    cause,
    hint: 'Connect again, read the status, and load the program again.',
    data: { command: name, ...cause.data },
  });
}

/** Throws BAD_ARGUMENT unless `timeoutMs` is a positive number. */
export function checkTimeout(timeoutMs: number): void {
  if (timeoutMs > 0) return;
  throw new ThermolinkError('BAD_ARGUMENT', `timeoutMs is ${timeoutMs}; it must be a positive number.`, {
    hint: 'Leave it out for the default; Infinity is no deadline.',
  });
}

/** A stop was issued before the command was sent. */
export function cancelledError(name: CommandName): ThermolinkError {
  return new ThermolinkError('DEVICE_REFUSED', `${name} was cancelled by a stop before it was sent.`, {
    hint: 'Acknowledge the stop, then go on.',
    data: { command: name },
  });
}

export function linkLostError(portName: string, seen: Evidence): ThermolinkError {
  return new ThermolinkError('LINK_LOST', `The board on ${portName} stopped acknowledging.`, {
    retryable: true,
    hint: 'Check the cable and that the board has power, then connect again; a board that has restarted has forgotten its session.',
    data: { ...seen },
  });
}

const REASON_NAMES = Object.keys(REFUSAL) as (keyof typeof REFUSAL)[];

const HINTS: Partial<Record<keyof typeof REFUSAL, string>> = {
  cancelled: 'A stop cancelled the command. Acknowledge the stop, then go on.',
  // The board also gives this reason after an error inside it (protocol.md, "Errors inside the device").
  wrongState: 'Read the status; after a stop or a fault, acknowledge first.',
  digestMismatch: 'The program was damaged on its way or changed in the board; load it again.',
  notCommitted: 'Load a program into the bank first.',
  bankBusy: 'Load the other bank, or wait for the run to end.',
};

/** The error of a command that the board refused or answered with a message of the wrong kind. */
export function refusalError(command: string, portName: string, message: ToHost): ThermolinkError {
  if (message.kind === 'event' && message.name === 'helloRefused')
    return helloRefusedError(portName, message.fields);
  if (message.kind !== 'event' || message.name !== 'refusal')
    return new ThermolinkError('NOT_A_BOARD', `The board answered ${command} with ${message.name}.`, {
      hint: 'Its firmware does not follow the protocol; see docs/reference/protocol.md.',
    });
  const { reason, detail, state } = message.fields;
  const name = REASON_NAMES[reason];
  const code: ErrorCode = name === 'digestMismatch' ? 'DIGEST_MISMATCH' : 'DEVICE_REFUSED';
  const hint = HINTS[name];
  return new ThermolinkError(code, `The board refused ${command}: ${name} (${detail}).`, {
    hint,
    data: { command, reason: name, detail, state: deviceStateName(state) },
  });
}
