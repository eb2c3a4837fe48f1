import type { Random } from './random.js';

const KINDS = ['flip', 'set', 'delete', 'insert', 'repeat', 'truncate', 'swap'] as const;

/** A copy of the bytes with one change. Sometimes the change leaves the bytes as they are. */
export function damaged(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(random.whole(0, 255));
  const at = random.whole(0, bytes.length - 1);
  const length = random.whole(1, Math.min(16, bytes.length - at));
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(at + length);
  switch (random.pick(KINDS)) {
    case 'flip':
      return bytes.with(at, bytes[at] ^ (1 << random.whole(0, 7)));
    case 'set':
      return bytes.with(at, random.whole(0, 255));
    case 'delete':
      return joined(before, after);
    case 'insert':
      return joined(
        before,
        Uint8Array.from({ length }, () => random.whole(0, 255)),
        bytes.subarray(at),
      );
    case 'repeat':
      return joined(before, bytes.subarray(at, at + length), bytes.subarray(at));
    case 'truncate':
      return bytes.slice(0, at);
    case 'swap':
      return joined(bytes.subarray(at), before);
  }
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
