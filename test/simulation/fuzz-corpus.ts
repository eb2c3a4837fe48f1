import { CHANNEL, type Frame, FrameDecoder } from '../../firmware-protocol/framing.js';
import { simulate } from './simulate.js';

/** A good frame, decoded and as the bytes that travel (with the delimiter). */
export interface RecordedFrame {
  readonly frame: Frame;
  readonly bytes: Uint8Array;
}

/** The writes of the simulator's hosts and boards. The fuzzer damages them. */
export interface Corpus {
  /** Writes to the board. Each list begins with a HELLO. */
  readonly sessions: readonly (readonly Uint8Array[])[];
  readonly frames: readonly RecordedFrame[];
  readonly payloadsToBoard: readonly Uint8Array[];
  readonly payloadsToHost: readonly Uint8Array[];
}

const SESSION_WRITES_MAX = 120;
/**
 * The number of simulations that are recorded. They have faults. Together they hold retransmissions, stops
 * and several sessions.
 */
const SEEDS = 8;

function frameOf(bytes: Uint8Array): Frame | undefined {
  const [item] = new FrameDecoder(65536).push(bytes);
  return item?.kind === 'frame' ? item.frame : undefined;
}

export async function recordCorpus(seeds = SEEDS): Promise<Corpus> {
  const sessions: Uint8Array[][] = [];
  const frames: RecordedFrame[] = [];
  const payloads = { toBoard: new Map<string, Uint8Array>(), toHost: new Map<string, Uint8Array>() };
  for (let seed = 1; seed <= seeds; seed++)
    await simulate(seed, {
      onWrite: (direction, bytes) => {
        const frame = frameOf(bytes);
        if (!frame) return;
        frames.push({ frame, bytes });
        const toBoard = direction === 'toBoard';
        const known = toBoard ? payloads.toBoard : payloads.toHost;
        if (frame.payload.length > 0) known.set(Buffer.from(frame.payload).toString('latin1'), frame.payload);
        if (!toBoard) return;
        if (frame.channel === CHANNEL.open) sessions.push([]);
        const session = sessions.at(-1);
        if (session && session.length < SESSION_WRITES_MAX) session.push(bytes);
      },
    });
  return {
    sessions: sessions.filter((session) => session.length > 10),
    frames,
    payloadsToBoard: [...payloads.toBoard.values()],
    payloadsToHost: [...payloads.toHost.values()],
  };
}
