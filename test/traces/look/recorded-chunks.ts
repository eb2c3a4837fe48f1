import type { LinkChunk } from '../../../src/traces/trace-message.js';
import { simulate } from '../../simulation/simulate.js';
import { diagonalProgram, openTestBoard, type Tamper } from '../../support/test-board.js';

/** An arbitrary time in ns with as many digits as today's. */
const START_NS = 1_790_000_000_123_456_789n;
const STEP_NS = 12_345n;

/** Collects the chunks of a line, with made-up times: different, ascending, with any last digit. */
export class Ear {
  readonly chunks: LinkChunk[] = [];

  hear(direction: LinkChunk['direction'], bytes: Uint8Array, connection = 1): void {
    const hostTimeNs = START_NS + STEP_NS * BigInt(this.chunks.length);
    this.chunks.push({ direction, connection, side: 'host', port: 'made', hostTimeNs, bytes: bytes.slice() });
  }
}

/** A board in virtual time with a recorded line. `toHost` may lose or change bytes before the recording. */
export async function heardBoard(profile: string, options: { readonly toHost?: Tamper } = {}) {
  const ear = new Ear();
  const { device, clock } = await openTestBoard(profile, {
    toDevice: (_, bytes) => {
      ear.hear('toDevice', bytes);
      return [bytes];
    },
    toHost: (frame, bytes) => {
      const parts = options.toHost?.(frame, bytes) ?? [bytes];
      for (const part of parts) ear.hear('toHost', part);
      return parts;
    },
  });
  return { device, clock, chunks: ear.chunks };
}

export const PLAIN_RUN = {
  bank: 0,
  runSeed: 4_000_000_000,
  burnInTicks: 10,
  sampleCount: 40,
  ticksPerSample: 5,
};
export const PLAIN_FIRST_TICK = 2 ** 52 + 12_345;

/**
 * A session with every kind of message except faults. It has programs, a run with samples, a stop and a
 * refusal.
 */
export async function plainSession({ drive = 1000 } = {}): Promise<{
  readonly chunks: readonly LinkChunk[];
  readonly codes: Int16Array;
}> {
  const { device, clock, chunks } = await heardBoard('ideal-8');
  await clock.run(device.ping());
  await clock.run(device.loadProgram(0, diagonalProgram(8, drive)));
  await clock.run(
    device.loadProgram(1, { ...diagonalProgram(4, -77), couplingBits: 8, couplings: narrow(4) }),
  );
  const { codes } = await clock.run(device.acquire({ ...PLAIN_RUN, firstTick: PLAIN_FIRST_TICK }));
  await clock.run(device.stop());
  await clock.run(device.acquire(PLAIN_RUN).catch(() => undefined));
  await clock.run(device.readCounters());
  await clock.run(device.readStatus());
  // The chunks are copied, because the host may still acknowledge the last answer. A session that grows would
  // differ from itself.
  return { chunks: [...chunks], codes };
}

function narrow(cells: number): Int8Array {
  const couplings = new Int8Array(cells * cells);
  for (let i = 0; i < cells; i++) couplings[i * cells + i] = 127;
  return couplings;
}

/** Sessions over lines that lose, change and repeat bytes, with stops, resets and reconnects. */
export async function simulatedSessions(seeds: readonly number[]): Promise<LinkChunk[]> {
  const ear = new Ear();
  for (const seed of seeds)
    await simulate(seed, {
      onWrite: (direction, bytes) => ear.hear(direction === 'toBoard' ? 'toDevice' : 'toHost', bytes, seed),
    });
  return ear.chunks;
}
