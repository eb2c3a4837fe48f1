import type { DeviceInput } from '../../firmware-protocol/device-status.js';
import type { CommandName } from '../../firmware-protocol/messages/index.js';

/** What shows that a command was executed, beside its answer. Commands that only read have none. */
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

/** Aborting a run that has ended changes nothing: its answer is no proof of an effect. */
export const EFFECT_IS_OPTIONAL: ReadonlySet<CommandName> = new Set<CommandName>(['abort']);

/** A session as the board has it. */
export interface BoardSession {
  readonly nonce: string;
  readonly openedAtMs: number;
  endedAtMs: number | undefined;
  /** The board got a message in it. */
  heard: boolean;
  /** Requests that had their effect. */
  readonly executed: Set<number>;
  /** Last request that a stop has cancelled. */
  cancelledUpTo: number;
  /** Number of the last stop that took effect. */
  stopNumber: number;
  /** When the host issued the last stop that took effect: its place among all calls. */
  stopIssue: number;
}

/** One call of the host, and what the host was told of it. */
export interface HostCall {
  readonly name: CommandName;
  readonly fields: unknown;
  /** Place among all calls of the run. */
  readonly issue: number;
  readonly askedAtMs: number;
  /** How long, up to then, neither side had missed anything. */
  readonly freeMsAtStart: number;
  session: string;
  requestId: number;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
