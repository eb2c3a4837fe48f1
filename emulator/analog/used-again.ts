/**
 * Memory of `bytes` bytes for a new array. It is the memory of `unused` if the size fits: memory of arrays
 * counts as garbage of the host, and a board commits a program in each step of a training. Put a new array on
 * it: caches recognize what they were made from by the array object, not by its memory.
 */
export function usedAgain(unused: ArrayBufferView | undefined, bytes: number): ArrayBufferLike {
  const { buffer } = unused ?? {};
  return buffer?.byteLength === bytes ? buffer : new ArrayBuffer(bytes);
}
