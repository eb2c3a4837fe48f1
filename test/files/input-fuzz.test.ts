import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { ThermolinkError } from '../../src/errors.js';
import { readMatrix, readVector } from '../../src/files/read-array.js';
import { fileWriter } from '../cli/support/temporary-files.js';
import { law } from '../support/law.js';
import { NPY_FILES } from './npy-fixtures.js';

const write = fileWriter();

const RUNS = { seed: 20240710, numRuns: 120 };

/** Largest time for a file. Any small file takes less, and a file that hangs takes much more. */
const PATIENCE_MS = 10_000;

/** Reads the bytes. Either the result is plausible or the error is a ThermolinkError. */
async function attack(name: string, bytes: Uint8Array): Promise<void> {
  const path = write(name, bytes);
  const start = performance.now();
  for (const read of [readMatrix, readVector]) {
    try {
      const result = await read(path);
      const data = result instanceof Float64Array ? result : result.data;
      expect(data.length).toBeGreaterThan(0);
      expect(data.every(Number.isFinite)).toBe(true);
      expect(data.length).toBeLessThanOrEqual(bytes.length);
      if (!(result instanceof Float64Array)) expect(result.rows * result.columns).toBe(data.length);
    } catch (error) {
      if (!(error instanceof ThermolinkError)) throw error;
      expect(['BAD_FILE', 'BAD_MATRIX']).toContain(error.code);
      expect(error.hint).toMatch(/\.$/);
      expect(error.message.length).toBeLessThan(400);
    }
  }
  expect(performance.now() - start).toBeLessThan(PATIENCE_MS);
}

/** Changes to a valid file: overwritten bytes, a piece cut out, a piece put in. */
const mutations = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('set' as const), at: fc.nat(400), bytes: fc.uint8Array({ maxLength: 4 }) }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.nat(400), count: fc.nat(20) }),
    fc.record({
      kind: fc.constant('put' as const),
      at: fc.nat(400),
      bytes: fc.uint8Array({ maxLength: 12 }),
    }),
    // Digits and punctuation change shapes and types, but random bytes would only break the header.
    fc.record({
      kind: fc.constant('set' as const),
      at: fc.integer({ min: 10, max: 80 }),
      bytes: fc.constantFrom(...[...'0123456789(),<>|fiuc8'].map((mark) => Buffer.from(mark) as Uint8Array)),
    }),
  ),
  { minLength: 1, maxLength: 4 },
);

type Mutation = { at: number } & (
  | { kind: 'set' | 'put'; bytes: Uint8Array }
  | { kind: 'cut'; count: number }
);

function mutate(file: Uint8Array, changes: readonly Mutation[]): Uint8Array {
  let bytes = Buffer.from(file);
  for (const change of changes) {
    const at = change.at % (bytes.length + 1);
    const [removed, added] =
      change.kind === 'cut'
        ? [change.count, Buffer.alloc(0)]
        : [change.kind === 'set' ? change.bytes.length : 0, Buffer.from(change.bytes)];
    bytes = Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]);
  }
  return bytes;
}

const npyFiles = fc.constantFrom(...NPY_FILES.map(([, , base64]) => Buffer.from(base64, 'base64')));
const csvFiles = fc.constantFrom(
  ...['1,2\n3,4\n', '1;2\r\n3;4', '# c\n1\t2\n', '1e5 -2.5E-3\n.5 +6.\n', '\uFEFF1\n2\n3\n'].map((text) =>
    Buffer.from(text),
  ),
);
const numberish = fc.array(fc.constantFrom(...'0123456789+-.eE,; \t\r\n#naif\0"'), { maxLength: 60 });

describe('no input breaks the readers', () => {
  for (const name of ['x.npy', 'x.csv'])
    law(`random bytes as ${name}`, RUNS, (runs) =>
      fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), (bytes) => attack(name, bytes)),
        runs,
      ),
    );

  law('random bytes after a valid beginning', RUNS, (runs) =>
    fc.assert(
      fc.asyncProperty(npyFiles, fc.nat(130), fc.uint8Array({ maxLength: 200 }), (file, at, tail) =>
        attack('x.npy', Buffer.concat([file.subarray(0, at), tail])),
      ),
      runs,
    ),
  );

  law('damaged .npy files', RUNS, (runs) =>
    fc.assert(
      fc.asyncProperty(npyFiles, mutations, (file, changes) => attack('x.npy', mutate(file, changes))),
      runs,
    ),
  );

  law('damaged .csv files', RUNS, (runs) =>
    fc.assert(
      fc.asyncProperty(csvFiles, mutations, (file, changes) => attack('x.csv', mutate(file, changes))),
      runs,
    ),
  );

  law('text that is nearly numbers', RUNS, (runs) =>
    fc.assert(
      fc.asyncProperty(numberish, (characters) => attack('x.txt', Buffer.from(characters.join('')))),
      runs,
    ),
  );
});
