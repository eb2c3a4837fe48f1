import { describe, expect, it } from 'vitest';
import type { Port } from '../../firmware-protocol/port.js';
import { integersFrom } from '../support/analog-boards.js';

/** Two connected ends, and how to free them. */
export interface PortPair {
  readonly ends: readonly [Port, Port];
  /** Closes everything that the test leaves open. It is called after failures too. */
  release(): Promise<void>;
}

/** A port whose other side does not read yet. */
export interface StalledPort {
  readonly port: Port;
  /** A number of bytes that is larger than the buffers of the system. Default: 25 MiB, as for TCP. */
  readonly stallBytes?: number;
  /** Lets the other side read. Resolves when it has read `bytes`. */
  read(bytes: number): Promise<void>;
  release(): Promise<void>;
}

export interface PortContract {
  readonly name: string;
  open(): Promise<PortPair>;
  /**
   * One entry for each direction that can stall. A direction is missing if nothing can stop its receiver from
   * reading.
   */
  readonly stalled?: Readonly<Record<string, () => Promise<StalledPort>>>;
  /** For each end, whether it notices that the other end has closed, or the reason why it can't. */
  readonly noticesClose: readonly [true | string, true | string];
}

const MIB = 1 << 20;
const DEADLINE_MS = 10_000;
/** A port that can take more bytes takes them within fewer turns of the event loop. */
const QUIET_TURNS = 200;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waits for `promise`. Fails after the deadline with the name of the missing event. */
export async function within<T>(promise: Promise<T>, what: string, timeoutMs = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Copies every chunk until `bytes` bytes have arrived. */
function collect(port: Port, bytes: number): { readonly chunks: Uint8Array[]; readonly done: Promise<void> } {
  const chunks: Uint8Array[] = [];
  let count = 0;
  const done = new Promise<void>((resolve) => {
    port.onData((chunk) => {
      chunks.push(chunk.slice());
      count += chunk.length;
      if (count >= bytes) resolve();
    });
  });
  return { chunks, done };
}

/** Bytes 0 … 255 in a random order, so that a swap, a loss or a repetition shows. */
function pattern(length: number, seed: number): Uint8Array {
  const next = integersFrom(seed);
  return Uint8Array.from({ length }, () => next(0, 255));
}

/** Writes the bytes in pieces of 1 … `pieceMax`, one after the other. */
async function writeInPieces(port: Port, bytes: Uint8Array, pieceMax: number, seed: number): Promise<void> {
  const next = integersFrom(seed);
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + next(1, pieceMax));
    await port.write(bytes.slice(at, end));
    at = end;
  }
}

function expectSame(chunks: readonly Uint8Array[], expected: Uint8Array): void {
  // Buffer.compare is quick. toEqual would compare a million entries one by one.
  expect(Buffer.compare(Buffer.concat(chunks), expected)).toBe(0);
}

/** The suite that every port must pass: the guarantees of `Port`. */
export function describePortContract(contract: PortContract): void {
  describe(`port contract: ${contract.name}`, () => {
    async function withPair(test: (a: Port, b: Port) => Promise<void>): Promise<void> {
      const pair = await contract.open();
      try {
        await test(...pair.ends);
      } finally {
        await within(pair.release(), 'release');
      }
    }

    it('carries 1 MiB in each direction at the same time, in order, for any pieces', () =>
      withPair(async (a, b) => {
        const there = pattern(MIB, 1);
        const back = pattern(MIB, 2);
        const atB = collect(b, MIB);
        const atA = collect(a, MIB);
        const sent = Promise.all([writeInPieces(a, there, 8192, 3), writeInPieces(b, back, 8192, 4)]);
        await within(Promise.all([sent, atB.done, atA.done]), 'last byte');
        expectSame(atB.chunks, there);
        expectSame(atA.chunks, back);
      }));

    it('carries single bytes, with all 256 values', () =>
      withPair(async (a, b) => {
        const all = Uint8Array.from({ length: 256 }, (_, i) => i);
        const atB = collect(b, 256);
        await within(writeInPieces(a, all, 1, 1), 'write');
        await within(atB.done, 'last byte');
        expectSame(atB.chunks, all);
      }));

    it('delivers bytes that do not change later, and does not change the written bytes', () =>
      withPair(async (a, b) => {
        const atB = collect(b, 100 * 1000);
        const given = pattern(1000, 9);
        const before = given.slice();
        const copies: Uint8Array[] = [];
        const keep = atB.chunks.push.bind(atB.chunks);
        atB.chunks.push = (chunk) => {
          copies.push(chunk.slice());
          return keep(chunk);
        };
        for (let i = 0; i < 100; i++) await within(a.write(given), 'write');
        await within(atB.done, 'last byte');
        expect(given).toEqual(before);
        expectSame(atB.chunks, Buffer.concat(copies));
        // A Buffer's `slice` shares memory, so a receiver that wants a copy would not get one.
        expect(atB.chunks.some((chunk) => Buffer.isBuffer(chunk))).toBe(false);
      }));

    it('refuses to write after it is closed', () =>
      withPair(async (a) => {
        await within(a.close(), 'close');
        expect(a.closed).toBe(true);
        await expect(within(a.write(Uint8Array.of(1)), 'refusal')).rejects.toMatchObject({
          code: 'LINK_LOST',
        });
      }));

    it('reports its own end once, and nothing after it', () =>
      withPair(async (a, b) => {
        const heard: string[] = [];
        a.onData(() => heard.push('data'));
        a.onClose(() => heard.push('close'));
        const ending = a.close();
        void b.write(Uint8Array.of(1)).catch(() => undefined);
        await within(ending, 'close');
        await within(a.close(), 'second close');
        expect(heard).toEqual(['close']);
      }));

    it('refuses a second write before the first has settled', () =>
      withPair(async (a, b) => {
        const atB = collect(b, 2);
        const first = a.write(Uint8Array.of(1));
        await expect(within(a.write(Uint8Array.of(2)), 'refusal')).rejects.toThrow(/^bug: a second write/);
        await within(first, 'first write');
        await within(a.write(Uint8Array.of(3)), 'third write');
        await within(atB.done, 'last byte');
        expectSame(atB.chunks, Uint8Array.of(1, 3));
      }));

    for (const [listener, closer] of [
      [0, 1],
      [1, 0],
    ]) {
      const notices = contract.noticesClose[listener];
      const why = notices === true ? '' : ` (not here: ${notices})`;
      it.skipIf(notices !== true)(`end ${listener} reports once that end ${closer} has closed${why}`, () =>
        withPair(async (...ends) => {
          let closes = 0;
          const closed = new Promise<void>((resolve) => {
            ends[listener].onData(() => undefined);
            ends[listener].onClose(() => {
              closes++;
              resolve();
            });
          });
          await within(ends[closer].close(), 'close');
          await within(closed, 'word of the close');
          await within(ends[listener].close(), 'own close');
          expect(closes).toBe(1);
          expect(ends[listener].closed).toBe(true);
        }),
      );
    }

    it('also reports the end to a late listener', () =>
      withPair(async (a) => {
        await within(a.close(), 'close');
        await within(new Promise<void>((resolve) => a.onClose(() => resolve())), 'word of the close');
      }));

    for (const [direction, stall] of Object.entries(contract.stalled ?? {})) {
      it(`waits while nobody reads: ${direction}`, async () => {
        const { port, stallBytes = 25 * MIB, read, release } = await stall();
        try {
          const piece = pattern(1 << 16, 5);
          const pieces = stallBytes / piece.length;
          let settled = 0;
          const sending = (async () => {
            for (let i = 0; i < pieces; i++) {
              await port.write(piece);
              settled++;
            }
          })();
          sending.catch(() => undefined);
          for (let quiet = 0, last = -1; quiet < QUIET_TURNS; ) {
            await turn();
            quiet = settled === last ? quiet + 1 : 0;
            last = settled;
          }
          expect(settled).toBeLessThan(pieces);
          await within(read(pieces * piece.length), 'last byte');
          await within(sending, 'last write');
        } finally {
          await within(release(), 'release');
        }
      });

      it(`closes while a write waits, and this write rejects: ${direction}`, async () => {
        const { port, release } = await stall();
        try {
          const waiting = (async () => {
            for (;;) await port.write(new Uint8Array(1 << 16));
          })().catch((error: { code?: string }) => error.code);
          for (let turns = 0; turns < QUIET_TURNS; turns++) await turn();
          await within(port.close(), 'close');
          expect(await within(waiting, 'rejection')).toBe('LINK_LOST');
        } finally {
          await within(release(), 'release');
        }
      });
    }
  });
}
