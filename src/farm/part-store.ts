import { ThermolinkError } from '../errors.js';
import type { Farm } from './farm.js';
import { BUCKETS } from './farm-names.js';
import { type StoredBytes, sha256Of } from './messages.js';

/** One part of stored bytes; a message of NATS has 1 MiB at most. */
const PART_BYTES = 512 * 1024;
/** Largest stored object: a dense matrix of 2,896 cells. */
export const STORED_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Stores bytes of any length up to `STORED_BYTES_MAX` in the farm, in parts, under the digest of the whole.
 * Equal bytes are stored only once. They are kept for a week.
 */
export class PartStore {
  readonly #farm: Farm;

  constructor(farm: Farm) {
    this.#farm = farm;
  }

  /** Stores bytes. Errors: TOO_LARGE; those of `Farm.ask`. */
  async put(content: Uint8Array, signal?: AbortSignal): Promise<StoredBytes> {
    const { length: bytes } = content;
    if (bytes > STORED_BYTES_MAX)
      throw new ThermolinkError(
        'TOO_LARGE',
        `A farm stores ${STORED_BYTES_MAX} bytes at most, not ${bytes}.`,
        {
          hint: 'Give the work to a board of this machine by `device`.',
          data: { bytes, bytesMax: STORED_BYTES_MAX },
        },
      );
    const stored = { bytes, sha256: sha256Of(content) };
    for (const [index, key] of keysOf(stored).entries()) {
      const part = content.subarray(index * PART_BYTES, (index + 1) * PART_BYTES);
      await this.#farm.ask(
        async () => {
          const known = await this.#farm.parts.get(key);
          const isYoung = known !== null && Date.now() - known.created.getTime() < BUCKETS.parts.ageMs / 2;
          // A damaged part is stored again.
          if (!isYoung || Buffer.compare(known.value, part) !== 0) await this.#farm.parts.put(key, part);
        },
        { signal },
      );
    }
    return stored;
  }

  /** Reads stored bytes. Errors: BAD_FILE if they are gone or damaged; those of `Farm.ask`. */
  async get(stored: StoredBytes, signal?: AbortSignal): Promise<Uint8Array> {
    const { bytes, sha256 } = stored;
    if (bytes > STORED_BYTES_MAX) throw missing(stored, 'are more than a farm stores');
    const content = new Uint8Array(bytes);
    for (const [index, key] of keysOf(stored).entries()) {
      const part = await this.#farm.ask(() => this.#farm.parts.get(key), { signal });
      if (part === null || part.operation !== 'PUT') throw missing(stored, 'are no longer in the farm');
      if (index * PART_BYTES + part.value.length > bytes) throw missing(stored, 'are damaged');
      content.set(part.value, index * PART_BYTES);
    }
    if (sha256Of(content) !== sha256) throw missing(stored, 'are damaged');
    return content;
  }
}

function keysOf({ bytes, sha256 }: StoredBytes): string[] {
  return Array.from({ length: Math.ceil(bytes / PART_BYTES) }, (_, index) => `${sha256}.${index}`);
}

function missing({ bytes, sha256 }: StoredBytes, how: string): ThermolinkError {
  return new ThermolinkError('BAD_FILE', `The ${bytes} bytes ${sha256.slice(0, 12)}… ${how}.`, {
    hint: 'Submit the job again: this stores them again. A result without its parts is useless, so it is computed again too.',
    data: { bytes, sha256 },
  });
}

/** Whether an error says that stored bytes are gone or damaged. */
export function areBytesMissing(error: unknown): boolean {
  return (
    error instanceof ThermolinkError && error.code === 'BAD_FILE' && typeof error.data['sha256'] === 'string'
  );
}
