import fc from 'fast-check';
import { CHANNEL, FLAG_NAK, type Frame } from '../../firmware-protocol/framing.js';

/**
 * Bytes of the difficult cases of COBS: long runs without a zero, runs of zeros, lengths around whole groups.
 */
export function hardBytes(maxLength: number): fc.Arbitrary<Uint8Array> {
  const run = fc
    .tuple(
      fc.constantFrom(0, 0, 1, 85, 254, 255),
      fc.oneof(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 28, max: 36 }),
        fc.integer({ min: 250, max: 260 }),
      ),
    )
    .map(([byte, length]) => new Array<number>(length).fill(byte));
  const runs = fc.array(run, { maxLength: 5 }).map((parts) => Uint8Array.from(parts.flat()));
  return fc.oneof(runs, fc.uint8Array({ maxLength })).map((bytes) => bytes.slice(0, maxLength));
}

export function anyFrame(payloadMax: number): fc.Arbitrary<Frame> {
  return fc.record({
    channel: fc.constantFrom(...Object.values(CHANNEL)),
    session: fc.nat(255),
    flags: fc.constantFrom(0, FLAG_NAK),
    seq: fc.nat(65535),
    ack: fc.nat(65535),
    payload: hardBytes(payloadMax),
  });
}

/** `bytes`, cut into pieces. The cuts may be any numbers. */
export function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
  return [...at, bytes.length].map((end, i) => bytes.slice(i === 0 ? 0 : at[i - 1], end));
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
