import { readFileSync, writeFileSync } from 'node:fs';
import { ThermolinkError } from '../../src/errors.js';
import { openTrace } from '../../src/traces/open-trace.js';
import { readScript } from '../../src/traces/replay/script.js';
import { Random } from '../simulation/random.js';

/** Values that replace lengths and counts. */
const HARD = [0, 1, 0x7f, 0xff, 0xffff, 0x7fffffff, 0xffffffff];

/** A damaged copy of a recording: bytes flipped, lengths replaced, pieces cut out, doubled or moved. */
export function damaged(original: Uint8Array, random: Random): Uint8Array {
  let bytes = original.slice();
  for (let n = random.whole(1, 4); n > 0 && bytes.length > 16; n--) {
    const at = random.whole(0, bytes.length - 1);
    const length = Math.min(bytes.length - at, random.whole(1, 64));
    switch (random.whole(0, 5)) {
      case 0:
        bytes[at] ^= 1 << random.whole(0, 7);
        break;
      case 1:
        bytes.set(new Uint8Array(new Uint32Array([random.pick(HARD)]).buffer).subarray(0, length), at);
        break;
      case 2:
        bytes = bytes.slice(0, at);
        break;
      case 3:
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
        break;
      case 5:
        bytes.copyWithin(at, random.whole(0, bytes.length - 1), bytes.length);
        break;
    }
  }
  return bytes;
}

/**
 * Reads a file with every function that reads recordings. Whatever is in the file, only a `ThermolinkError`
 * may be thrown, and its message names the file.
 */
export async function readEverything(file: string): Promise<'read' | 'refused'> {
  try {
    const trace = await openTrace(file);
    try {
      for (const { read } of trace.attachments) read();
      readScript(trace);
    } finally {
      trace.close();
    }
    return 'read';
  } catch (error) {
    if (!(error instanceof ThermolinkError) || !['BAD_FILE', 'TOO_LARGE'].includes(error.code)) throw error;
    if (!error.message.includes(file)) throw new Error('an error without the file', { cause: error });
    return 'refused';
  }
}

/** Damages `files` in turn and reads them. Returns the number of files that could still be read. */
export async function fuzzTraces(
  files: readonly string[],
  scratch: string,
  { count, seed }: { readonly count: number; readonly seed: number },
  onProgress: (done: number) => void = () => undefined,
): Promise<number> {
  const originals = files.map((file) => new Uint8Array(readFileSync(file)));
  let read = 0;
  for (let i = 0; i < count; i++) {
    const random = new Random(seed, i);
    writeFileSync(scratch, damaged(originals[i % originals.length], random));
    try {
      if ((await readEverything(scratch)) === 'read') read++;
    } catch (cause) {
      throw new Error(`file ${i} of seed ${seed} (${files[i % files.length]}) is kept at ${scratch}`, {
        cause,
      });
    }
    onProgress(i + 1);
  }
  return read;
}
