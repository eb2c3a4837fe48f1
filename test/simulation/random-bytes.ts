import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

const original = crypto.randomBytes;

/**
 * The bytes that `node:crypto` calls random come from the seed while a simulation runs; undefined gives it
 * back.
 */
export function setRandomBytes(next: (() => Uint8Array) | undefined): void {
  const seeded = next ? (size: number) => Buffer.from(next().subarray(0, size)) : original;
  Object.defineProperty(crypto, 'randomBytes', { value: seeded, configurable: true, writable: true });
  syncBuiltinESMExports();
}
