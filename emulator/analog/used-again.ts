/**
 * Memory of `bytes` bytes for a new array: the memory of `unused` if it has this size, otherwise new memory.
 * A training commits a program in each step, and memory that is used again saves garbage collections. Make a
 * new array on the memory, because caches recognize a program by the array object.
 */
export function usedAgain(unused: ArrayBufferView | undefined, bytes: number): ArrayBufferLike {
  const { buffer } = unused ?? {};
  return buffer?.byteLength === bytes ? buffer : new ArrayBuffer(bytes);
}
