import {
  ANSWER_CACHE_MAX,
  BLOCKS_KEPT_MAX,
  CALIBRATION_BYTES_MAX,
  FRAME_BYTES_MAX,
} from '../../firmware-protocol/limits.js';
import type { Answer, Command, Event } from '../../firmware-protocol/messages/index.js';
import { FEATURE, FEATURES_OF_MINOR_0, REFUSAL } from '../../firmware-protocol/messages/system.js';
import { PROTOCOL_MAJOR, PROTOCOL_MINOR, TABLE_HASH } from '../../firmware-protocol/version.js';
import { isIdeal } from '../analog/die.js';
import type { Board } from './board.js';

/**
 * The largest number of command frames that the host may send without an acknowledgement. The device executes
 * each frame before it takes the next.
 */
const WINDOW = 32;
/**
 * The largest number of bytes in each direction that are sent and not yet acknowledged. The device stores no
 * frames, since it executes each frame before it takes the next. The bound limits the bytes in the line's
 * buffers.
 */
const IN_FLIGHT_BYTES = 16 * FRAME_BYTES_MAX;
/**
 * Largest number of cells whose second moments a run adds up. The moments of 64 cells take as many bytes as
 * 130 samples.
 */
export const OWN_MOMENT_CELLS_MAX = 64;
export const FIRMWARE_VERSION = 'emulator 0.1.0';

const OWN_VERSION = { major: PROTOCOL_MAJOR, minor: PROTOCOL_MINOR, tableHash: TABLE_HASH };

/** The refusal of a host that speaks another version, or undefined (protocol.md, "Versions"). */
export function refuseHello(hello: Command<'hello'>): Event<'helloRefused'> | undefined {
  const sameHash = hello.tableHash.every((byte, i) => byte === TABLE_HASH[i]);
  // A host of another minor version is accepted. A host of the same version must have the same tables.
  if (hello.major === PROTOCOL_MAJOR && (hello.minor !== PROTOCOL_MINOR || sameHash)) return undefined;
  return { nonce: hello.nonce, reason: REFUSAL.version, ...OWN_VERSION };
}

/** The refusal of a nonce with the first byte of a remembered nonce (protocol.md, "Nonces"). */
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
    features: featuresFor(hello, board.die),
    keepBlocksMax: BLOCKS_KEPT_MAX,
    momentCellsMax: OWN_MOMENT_CELLS_MAX,
    calibrationBytesMax: CALIBRATION_BYTES_MAX,
  };
}

/** The features of the board that a host of this version knows (protocol.md, "Versions"). */
function featuresFor({ minor }: Command<'hello'>, { profile }: Board['die']): number {
  const features =
    (profile.dense ? FEATURE.dense : 0) +
    (profile.factored ? FEATURE.factored : 0) +
    (profile.rowElement ? FEATURE.rowElement : 0) +
    FEATURE.hold +
    FEATURE.averages +
    (isIdeal(profile) ? FEATURE.knownCovariance : 0) +
    FEATURE.identify;
  return minor === 0 ? features & FEATURES_OF_MINOR_0 : features;
}
