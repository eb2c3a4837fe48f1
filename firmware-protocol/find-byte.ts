/** Finds the next byte of one value. This work touches every single byte of a frame or of a program. */

type Search = (bytes: Uint8Array, byte: number, start: number) => number;

const plainSearch: Search = (bytes, byte, start) => bytes.indexOf(byte, start);

let search: Search = plainSearch;

/** Index of the first `byte` (0 … 255) from `start` on, or the length if there is none. */
export function findByte(bytes: Uint8Array, byte: number, start: number): number {
  const place = search(bytes, byte, start);
  return place < 0 ? bytes.length : place;
}

/**
 * Replaces the search by a function of the platform, after a comparison of both. `Buffer` of Node looks at 16
 * bytes and more at once and is thirty times as fast. The function gets the bytes, the value and the start,
 * and returns an index or −1. Throws if the two differ.
 */
export function useFasterByteSearch(candidate: Search): void {
  const sample = new Uint8Array(67);
  for (const [byte, other] of [
    [0, 255],
    [128, 0],
  ])
    for (let place = 0; place <= sample.length; place++) {
      sample.fill(other);
      // If place = length, the byte is not there. The search must not return the second place in place of the
      // first.
      sample.fill(byte, place, place + 2);
      for (let start = 0; start <= sample.length; start++)
        if (candidate(sample, byte, start) !== plainSearch(sample, byte, start))
          throw new Error('bug: this does not find the first byte of a value');
    }
  search = candidate;
}
