import { type DeviceStateName, deviceStateName } from '../../firmware-protocol/device-status.js';
import type { Answer } from '../../firmware-protocol/messages/index.js';
import { FAULT } from '../../firmware-protocol/messages/system.js';

export interface DeviceStatus {
  readonly state: DeviceStateName;
  readonly fault: keyof typeof FAULT;
  readonly bootEpoch: number;
  readonly runId: number;
  readonly tick: number;
  readonly stopNumber: number;
  readonly committedBanks: number;
  /** CRC-32 of the cell array's state. */
  readonly stateDigest: number;
}

const FAULT_NAMES = Object.keys(FAULT) as (keyof typeof FAULT)[];

export function statusOf(answer: Answer<'readStatus'>): DeviceStatus {
  const digest = answer.stateDigest;
  return {
    state: deviceStateName(answer.state),
    fault: FAULT_NAMES[answer.fault],
    bootEpoch: answer.bootEpoch,
    runId: answer.runId,
    tick: answer.tick,
    stopNumber: answer.stopNumber,
    committedBanks: answer.committedBanks,
    stateDigest: (digest[0] | (digest[1] << 8) | (digest[2] << 16) | (digest[3] << 24)) >>> 0,
  };
}
