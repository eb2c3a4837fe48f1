import { decodeToHost, encodeCommand } from '../../firmware-protocol/codec.js';
import { NONCE_BYTES } from '../../firmware-protocol/limits.js';
import type { Answer, Event } from '../../firmware-protocol/messages/index.js';
import { FEATURE, HELLO_PURPOSE, REFUSAL } from '../../firmware-protocol/messages/system.js';
import { PROTOCOL_MAJOR, PROTOCOL_MINOR, TABLE_HASH } from '../../firmware-protocol/version.js';
import { ThermolinkError } from '../errors.js';
import { hexText, latin1Text, randomBytes } from '../platform.js';
import type { DeviceIdentity } from './device-api.js';

/** HELLO is repeated after this time (protocol.md, "Opening a session"). */
export const HELLO_INTERVAL_MS = 200;
export const HELLO_TIMEOUT_MS = 5000;
/** Number of unacknowledged command frames that the host accepts. */
const WINDOW = 32;

let lastFirstByte = randomBytes(1)[0];

/**
 * Makes a nonce. Frames carry only its first byte, so that byte counts up from the nonce `before`, or from
 * the last nonce of this process. A late frame of one of the last 254 sessions is then never taken for a
 * frame of the new session (protocol.md, "Nonces").
 */
export function newNonce(before?: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  // The byte is never 0, because a nonce of zeros names no session.
  lastFirstByte = ((before?.[0] ?? lastFirstByte) % 255) + 1;
  nonce[0] = lastFirstByte;
  return nonce;
}

export function helloFields(
  nonce: Uint8Array,
  frameBytesMax: number,
  purpose: keyof typeof HELLO_PURPOSE = 'open',
) {
  return {
    nonce,
    major: PROTOCOL_MAJOR,
    minor: PROTOCOL_MINOR,
    tableHash: TABLE_HASH,
    frameBytes: frameBytesMax,
    window: WINDOW,
    purpose: HELLO_PURPOSE[purpose],
  };
}

export function versionError(peer: {
  readonly major: number;
  readonly minor: number;
  readonly tableHash: Uint8Array;
}): ThermolinkError {
  const own = `${PROTOCOL_MAJOR}.${PROTOCOL_MINOR} (tables ${hexText(TABLE_HASH)})`;
  const other = `${peer.major}.${peer.minor} (tables ${hexText(peer.tableHash)})`;
  return new ThermolinkError('VERSION_MISMATCH', `This host speaks protocol ${own}, the board ${other}.`, {
    hint: 'Update the older one. From protocol 1.1 on, both ends understand each other if their major versions are equal.',
    data: { own, board: other },
  });
}

/** The error of a HELLO that the board refused. */
export function helloRefusedError(portName: string, refusal: Event<'helloRefused'>): ThermolinkError {
  if (refusal.reason === REFUSAL.version) return versionError(refusal);
  if (refusal.reason === REFUSAL.stale)
    return new ThermolinkError(
      'SESSION_LOST',
      `The nonce of the new session on ${portName} begins with the same byte as the nonce of an earlier session.`,
      { hint: 'Open the session with another nonce.' },
    );
  if (refusal.reason === REFUSAL.unsupported)
    return new ThermolinkError('UNSUPPORTED', `The board on ${portName} opens no session with this host.`, {
      hint: 'A replayed session answers only the recorded requests; its server reports the difference.',
    });
  return new ThermolinkError('BUSY', `The board on ${portName} serves another client.`, {
    retryable: true,
    hint: 'Close the other program, or wait until it is done.',
  });
}

/** Throws VERSION_MISMATCH unless the board speaks our protocol (protocol.md, "Versions"). */
export function checkVersion(answer: Answer<'hello'>): void {
  const sameHash = answer.tableHash.every((byte, i) => byte === TABLE_HASH[i]);
  // A board of another minor version also speaks this protocol. A board of the same version must have the
  // same message tables.
  if (answer.major !== PROTOCOL_MAJOR || (answer.minor === PROTOCOL_MINOR && !sameHash))
    throw versionError(answer);
}

/**
 * The error of a peer that closed the connection before it answered HELLO. Its cause is the reason that the
 * port gave; without a reason it is `closed`.
 */
export function turnedAwayError(portName: string, closed: ThermolinkError): ThermolinkError {
  return new ThermolinkError('LINK_LOST', `${portName} was closed before HELLO was answered.`, {
    cause: closed.cause ?? closed,
    retryable: true,
    hint: 'A server that is full closes new connections: end other clients of it, or try again in some seconds. A serial port closes when its board is unplugged.',
  });
}

/** The error of a peer that never answered HELLO. The peer was silent, or sent other bytes. */
export function noAnswerError(portName: string, rubbish: Uint8Array): ThermolinkError {
  if (rubbish.length === 0)
    return new ThermolinkError(
      'NO_ANSWER',
      `Nothing on ${portName} answered within ${HELLO_TIMEOUT_MS / 1000} s.`,
      {
        retryable: true,
        hint: 'Check that the board has power, that the cable carries data, and that this is its port.',
      },
    );
  const echo = isOwnHello(rubbish)
    ? ' It seems to echo the bytes that it receives, like a terminal or a loop-back plug.'
    : '';
  const head = latin1Text(rubbish.subarray(0, 32));
  return new ThermolinkError(
    'NOT_A_BOARD',
    `${portName} answers, but not in this protocol: ${JSON.stringify(head)}.${echo}`,
    { hint: 'Is it the right port, and the right baud rate?', data: { received: hexText(rubbish) } },
  );
}

function isOwnHello(payload: Uint8Array): boolean {
  const sample = encodeCommand('hello', 0, helloFields(new Uint8Array(NONCE_BYTES).fill(1), 65536));
  return payload[0] === sample[0] && payload[1] === 0 && decodeToHost(payload).kind === 'bad';
}

export function identityOf(answer: Answer<'hello'>): DeviceIdentity {
  return {
    model: answer.model,
    serialNumber: answer.serialNumber,
    firmwareVersion: answer.firmwareVersion,
    bootEpoch: answer.bootEpoch,
    cells: answer.cells,
    rows: answer.rows,
    banks: answer.banks,
    couplingBits: answer.couplingBits,
    driveBits: answer.driveBits,
    adcBits: answer.adcBits,
    tauNs: answer.tauNs,
    tickLog2: answer.tickLog2,
    fullScaleMicrovolts: answer.fullScaleMicrovolts,
    rail: answer.rail,
    driveRange: answer.driveRange,
    noiseShiftMin: answer.noiseShiftMin,
    noiseShiftMax: answer.noiseShiftMax,
    noiseTemperatureMin: answer.noiseTemperatureMin,
    rowScaleMax: answer.rowScaleMax,
    hasDense: (answer.features & FEATURE.dense) !== 0,
    hasFactored: (answer.features & FEATURE.factored) !== 0,
    hasRowElement: (answer.features & FEATURE.rowElement) !== 0,
    hasHold: (answer.features & FEATURE.hold) !== 0,
    hasAverages: (answer.features & FEATURE.averages) !== 0,
    momentCellsMax: answer.momentCellsMax,
    hasKnownCovariance: (answer.features & FEATURE.knownCovariance) !== 0,
    hasIdentify: (answer.features & FEATURE.identify) !== 0,
    calibrationBytesMax: answer.calibrationBytesMax,
    keepBlocksMax: answer.keepBlocksMax,
  };
}
