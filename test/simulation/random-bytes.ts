const original = crypto.getRandomValues.bind(crypto);

/** During a simulation its seed gives the random bytes of the platform. Undefined restores the platform. */
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
