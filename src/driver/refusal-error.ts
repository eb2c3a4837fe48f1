import type { ToHost } from '../../firmware-protocol/codec.js';
import { deviceStateName } from '../../firmware-protocol/device-status.js';
import { REFUSAL } from '../../firmware-protocol/messages/system.js';
import { type ErrorCode, ThermolinkError } from '../errors.js';
import { helloRefusedError } from './hello.js';

const REASON_NAMES = Object.keys(REFUSAL) as (keyof typeof REFUSAL)[];

const HINTS: Partial<Record<keyof typeof REFUSAL, string>> = {
  cancelled: 'A stop cancelled it; acknowledge before going on.',
  wrongState: 'Read the status; after a stop or a fault, acknowledge first.',
  digestMismatch: 'The program was damaged on its way or changed since; load it again.',
  notCommitted: 'Load a program into the bank first.',
  bankBusy: 'Load the other bank, or wait for the run to end.',
};

/** The error for an answer that is not the one a command waits for. */
export function refusalError(command: string, portName: string, message: ToHost): ThermolinkError {
  if (message.kind === 'event' && message.name === 'helloRefused')
    return helloRefusedError(portName, message.fields);
  if (message.kind !== 'event' || message.name !== 'refusal')
    return new ThermolinkError('NOT_A_BOARD', `The board answered ${command} with ${message.name}.`, {
      hint: 'Its firmware does not follow the protocol; see docs/protocol.md.',
    });
  const { reason, detail, state } = message.fields;
  const name = REASON_NAMES[reason];
  const code: ErrorCode = name === 'digestMismatch' ? 'DIGEST_MISMATCH' : 'DEVICE_REFUSED';
  const hint = HINTS[name];
  return new ThermolinkError(code, `The board refused ${command}: ${name} (${detail}).`, {
    ...(hint ? { hint } : {}),
    data: { command, reason: name, detail, state: deviceStateName(state) },
  });
}
