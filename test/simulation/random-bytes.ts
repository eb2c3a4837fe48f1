const original = crypto.getRandomValues.bind(crypto);

/** While a simulation runs, the random bytes of the platform come from its seed. Undefined ends that. */
export function setRandomBytes(next: (() => Uint8Array) | undefined): void {
  const seeded = (array: Uint8Array): Uint8Array => {
    array.set(next!().subarray(0, array.length));
    return array;
  };
  Object.defineProperty(crypto, 'getRandomValues', {
    value: next ? seeded : original,
    configurable: true,
    writable: true,
  });
}
