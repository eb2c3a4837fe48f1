import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

const original = crypto.randomBytes;

/** While a simulation runs, the random bytes of `node:crypto` come from its seed. Undefined ends that. */
export function setRandomBytes(next: (() => Uint8Array) | undefined): void {
  const seeded = next ? (size: number) => Buffer.from(next().subarray(0, size)) : original;
  Object.defineProperty(crypto, 'randomBytes', { value: seeded, configurable: true, writable: true });
  syncBuiltinESMExports();
}
