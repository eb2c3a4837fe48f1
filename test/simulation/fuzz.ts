import { Dispatcher } from '../../emulator/firmware/dispatcher.js';
import type { Corpus } from './fuzz-corpus.js';
import {
  boardTarget,
  codecTarget,
  DECODER_FRAMES,
  decoderTarget,
  type FuzzTarget,
  sessionTarget,
} from './fuzz-targets.js';
import { liveBytes } from './heap.js';
import { Random } from './random.js';

export interface FuzzPart {
  readonly name: 'decoder' | 'codec' | 'board' | 'sessions';
  /** Number of inputs. */
  readonly count: number;
}

/** Longest time of one input, and largest number of bytes that a part may leave in memory. */
const INPUT_MS_MAX = 2000;
const GROWTH_BYTES_MAX = 16 << 20;
/** Inputs between two looks at the clock. */
const BATCH = 1000;

/** Divides the frames among the targets: a board takes longest, a decoder gets most. */
export function frameParts(frames: number): FuzzPart[] {
  const board = Math.floor(frames / 20);
  const codec = Math.floor(frames / 10);
  return [
    { name: 'decoder', count: Math.ceil((frames - board - codec) / DECODER_FRAMES) },
    { name: 'codec', count: codec },
    { name: 'board', count: board },
  ];
}

/**
 * Runs a part from a seed; throws with the input's number at the first crash, hang, growth or wrong answer.
 */
export async function fuzz(
  corpus: Corpus,
  part: FuzzPart,
  seed: number,
  progress: (done: number) => void,
): Promise<void> {
  const unhook: (() => void)[] = [];
  const target = makeTarget(corpus, part.name, unhook);
  try {
    let live = 0;
    for (let done = 0; done < part.count; done += BATCH) {
      // An object that was read from a WeakRef stays in memory until the turn ends.
      await new Promise((resolve) => setImmediate(resolve));
      const random = new Random(seed, 1000 + done / BATCH);
      // Memory that is allocated once at the beginning is not a leak.
      if (done === 10 * BATCH) live = liveBytes();
      for (let i = done; i < Math.min(done + BATCH, part.count); i++) attempt(target, random, part.name, i);
      progress(Math.min(done + BATCH, part.count));
    }
    const growth = live > 0 ? liveBytes() - live : 0;
    if (growth > GROWTH_BYTES_MAX) throw new Error(`${part.name}: ${growth} bytes were left behind`);
  } finally {
    for (const undo of unhook) undo();
  }
}

function attempt(target: FuzzTarget, random: Random, name: string, index: number): void {
  const startMs = performance.now();
  try {
    target(random);
  } catch (cause) {
    throw new Error(`${name}, input ${index}: ${String(cause)}`, { cause });
  }
  const tookMs = performance.now() - startMs;
  if (tookMs > INPUT_MS_MAX) throw new Error(`${name}, input ${index}: took ${tookMs} ms`);
}

function makeTarget(corpus: Corpus, name: FuzzPart['name'], unhook: (() => void)[]): FuzzTarget {
  switch (name) {
    case 'decoder':
      return decoderTarget(corpus);
    case 'codec':
      return codecTarget(corpus);
    case 'board':
      return boardTarget(corpus);
    case 'sessions':
      return sessionTarget(corpus, (hear) => unhook.push(listen(hear)));
  }
}

/** Shows every message that a board gets; the returned function ends it. */
function listen(hear: (payload: Uint8Array) => void): () => void {
  const { prototype } = Dispatcher;
  const { receive } = prototype;
  prototype.receive = function (channel, payload, nowMs) {
    hear(payload);
    return receive.call(this, channel, payload, nowMs);
  };
  return () => {
    prototype.receive = receive;
  };
}
