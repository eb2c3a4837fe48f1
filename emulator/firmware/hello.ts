import { ANSWER_CACHE_MAX, BLOCKS_KEPT_MAX, FRAME_BYTES_MAX } from '../../firmware-protocol/limits.js';
import type { Answer, Command, Event } from '../../firmware-protocol/messages/index.js';
import { FEATURE, REFUSAL } from '../../firmware-protocol/messages/system.js';
import { PROTOCOL_MAJOR, PROTOCOL_MINOR, TABLE_HASH } from '../../firmware-protocol/version.js';
import type { Board } from './board.js';

/** Command frames the device takes unacknowledged: it executes each before it takes the next. */
const WINDOW = 32;
/**
 * Unacknowledged command bytes that may be on the way, to it and from it. It holds none of them, since it executes each
 * frame before it takes the next: the bound only keeps what a line buffers small.
 */
const IN_FLIGHT_BYTES = 16 * FRAME_BYTES_MAX;
export const FIRMWARE_VERSION = 'emulator 0.1.0';

const OWN_VERSION = { major: PROTOCOL_MAJOR, minor: PROTOCOL_MINOR, tableHash: TABLE_HASH };

/**
 * Why no session can be opened, or undefined. Both versions are then in the host's hands.
 */
export function refuseHello(hello: Command<'hello'>): Event<'helloRefused'> | undefined {
  const sameHash = hello.tableHash.every((byte, i) => byte === TABLE_HASH[i]);
  // Of another minor the two speak the lower one, whose tables the one that has the higher knows.
  if (hello.major === PROTOCOL_MAJOR && (hello.minor !== PROTOCOL_MINOR || sameHash)) return undefined;
  return { nonce: hello.nonce, reason: REFUSAL.version, ...OWN_VERSION };
}

/** The nonce begins like that of the open session or of one that ended lately: such as one that was late. */
export function staleHello(hello: Command<'hello'>): Event<'helloRefused'> {
  return { nonce: hello.nonce, reason: REFUSAL.stale, ...OWN_VERSION };
}

export function answerHello(board: Board, hello: Command<'hello'>, resumed: boolean): Answer<'hello'> {
  const { profile, dieSeed } = board.die;
  return {
    nonce: hello.nonce,
    ...OWN_VERSION,
    frameBytes: FRAME_BYTES_MAX,
    window: WINDOW,
    resumed: resumed ? 1 : 0,
    model: profile.name,
    serialNumber: `die ${dieSeed}`,
    firmwareVersion: FIRMWARE_VERSION,
    bootEpoch: board.bootEpoch,
    cells: profile.cells,
    rows: profile.factored ? profile.rows : 0,
    banks: profile.banks,
    couplingBits: profile.couplingBits,
    driveBits: profile.driveBits,
    adcBits: profile.adcBits,
    tauNs: profile.tauNs,
    tickLog2: profile.tickLog2,
    fullScaleMicrovolts: profile.fullScaleMicrovolts,
    rail: profile.rail,
    driveRange: profile.driveRange,
    noiseShiftMin: profile.noiseShiftMin,
    noiseShiftMax: profile.noiseShiftMax,
    noiseTemperatureMin: profile.noiseTemperatureMin,
    rowScaleMax: profile.rowScaleMax,
    inFlightBytes: IN_FLIGHT_BYTES,
    answerCache: ANSWER_CACHE_MAX,
    features: (profile.dense ? FEATURE.dense : 0) + (profile.factored ? FEATURE.factored : 0) + FEATURE.hold,
    keepBlocksMax: BLOCKS_KEPT_MAX,
  };
}
