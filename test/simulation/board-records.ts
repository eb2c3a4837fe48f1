import type { DeviceInput } from '../../firmware-protocol/device-status.js';
import type { CommandName } from '../../firmware-protocol/messages/index.js';

/** The effect that proves the execution of a command. Commands that only read have no effect. */
export const EFFECT: Partial<
  Record<CommandName, DeviceInput | 'define' | 'write' | 'setRegisters' | 'commit'>
> = {
  defineProgram: 'define',
  writeCouplings: 'write',
  writeDrive: 'write',
  writeInitialState: 'write',
  setRegisters: 'setRegisters',
  commit: 'commit',
  start: 'started',
  abort: 'aborted',
  acknowledge: 'acknowledged',
  reset: 'reset',
};

/** An abort of a run that has ended changes nothing. Its answer does not prove an effect. */
export const EFFECT_IS_OPTIONAL: ReadonlySet<CommandName> = new Set<CommandName>(['abort']);

/** The board's state of a session. */
export interface BoardSession {
  readonly nonce: string;
  readonly openedAtMs: number;
  endedAtMs: number | undefined;
  /** Whether the board got a message in this session. */
  heard: boolean;
  /** Requests that had their effect. */
  readonly executed: Set<number>;
  /** Last request that a stop has cancelled. */
  cancelledUpTo: number;
  /** Number of the last stop that took effect. */
  stopNumber: number;
  /** The place, among all calls, of the last stop that took effect. */
  stopIssue: number;
}

/** One call of the host, and its outcome for the host. */
export interface HostCall {
  readonly name: CommandName;
  readonly fields: unknown;
  /** Place among all calls of the simulation. */
  readonly issue: number;
  readonly askedAtMs: number;
  /** The time, up to the call, in which neither side missed a frame. */
  readonly freeMsAtStart: number;
  session: string;
  requestId: number;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
