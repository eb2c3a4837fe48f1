import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMatrix, readVector } from '../../src/files/read-array.js';
import { writeArray } from '../../src/files/write-array.js';
import { writeNpy } from '../../src/files/write-npy.js';
import { matrix } from '../../src/linalg/matrix.js';
import { fileWriter, temporaryDirectory } from '../cli/support/temporary-files.js';
import { thrown } from '../cli/support/thrown.js';
import { BAD_NPY_FILES, NPY_FILES } from './npy-fixtures.js';

const write = fileWriter();
const directory = temporaryDirectory();

/** Length of the header in the files that NumPy writes for small arrays. */
const HEADER_BYTES = 128;

/** Writes a file with this header text and `dataBytes` zeros after it. Returns its path. */
function npyFile(header: string, dataBytes: number, version = 1, claimedHeaderBytes?: number): string {
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  length.writeUIntLE(claimedHeaderBytes ?? header.length, 0, length.length);
  const prefix = Buffer.from(`\x93NUMPY${String.fromCharCode(version)}\0`, 'latin1');
  return write('x.npy', Buffer.concat([prefix, length, Buffer.from(header), Buffer.alloc(dataBytes)]));
}

function dictionary(shape: string, descr = '<f8', order = 'False'): string {
  return `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;
}

describe('files that NumPy wrote', () => {
  it.each(NPY_FILES)('%s', async (_, values, base64) => {
    const path = write('numpy.npy', Buffer.from(base64, 'base64'));
    const rows = values.filter((row) => typeof row !== 'number');
    if (rows.length === 0) {
      expect(await readVector(path)).toEqual(Float64Array.from(values as number[]));
      expect((await thrown(() => readMatrix(path))).code).toBe('BAD_MATRIX');
      return;
    }
    // toEqual tells -0 from 0.
    expect(await readMatrix(path)).toEqual({
      rows: rows.length,
      columns: rows[0].length,
      data: Float64Array.from(rows.flat()),
    });
  });

  it.each(BAD_NPY_FILES)('%s is %s', async (_, code, base64) => {
    const error = await thrown(() => readVector(write('numpy.npy', Buffer.from(base64, 'base64'))));
    expect(error).toMatchObject({ code, hint: expect.stringMatching(/\.$/) });
    expect(error.message).toContain('numpy.npy');
  });
});

describe('files that thermolink wrote', () => {
  it('are read back bit for bit', async () => {
    const path = join(directory, 'ours.npy');
    const anyFinite = fc.double({ noNaN: true, noDefaultInfinity: true });
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFinite, { minLength: 1, maxLength: 200, size: 'max' }),
        fc.nat(5),
        async (values, cut) => {
          const data = Float64Array.from(values);
          writeNpy(path, data);
          expect(await readVector(path)).toEqual(data);
          const columns = cut + 1;
          const rows = Math.floor(values.length / columns);
          if (rows === 0) return;
          const table = matrix(rows, columns, data.slice(0, rows * columns));
          writeNpy(path, table);
          expect(await readMatrix(path)).toEqual(table);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('are byte for byte those of NumPy', async () => {
    const path = join(directory, 'same.npy');
    const [, values, base64] = NPY_FILES[0];
    writeNpy(path, matrix(2, 3, Float64Array.from(values.flat())));
    expect(readFileSync(path).toString('base64')).toBe(base64);
  });

  it('hold a vector without the other bytes of its buffer', async () => {
    const path = join(directory, 'part.npy');
    writeNpy(path, Float64Array.of(1, 2, 3, 4).subarray(1, 3));
    expect(await readVector(path)).toEqual(Float64Array.of(2, 3));
  });

  it('that cannot be written end in BAD_FILE', async () => {
    const error = await thrown(() => writeArray(join(directory, 'no', 'such.npy'), new Float64Array(1)));
    expect(error.code).toBe('BAD_FILE');
  });
});

describe('damaged files', () => {
  it('an array that is cut at any byte ends in BAD_FILE', async () => {
    const whole = Buffer.from(NPY_FILES[0][2], 'base64');
    const path = write('cut.npy', whole);
    for (let bytes = whole.length - 1; bytes >= 0; bytes--) {
      truncateSync(path, bytes);
      const error = await thrown(() => readMatrix(path));
      expect(error.code).toBe('BAD_FILE');
      if (bytes >= HEADER_BYTES) expect(error.message).toContain('cut short');
    }
  });

  it.each([
    ['10^12 entries', npyFile.bind(null, dictionary('(1000000, 1000000)'), 8), 'cut short'],
    [
      'more entries than can be counted',
      npyFile.bind(null, dictionary(`(${'9'.repeat(400)}, 2)`), 8),
      'cut short',
    ],
    ['bytes after the array', npyFile.bind(null, dictionary('(1, 1)'), 16), 'but 16 follow'],
    ['a header longer than the file', npyFile.bind(null, dictionary('(1, 1)'), 8, 1, 60_000), 'header'],
    ['a header of 4 GiB', npyFile.bind(null, dictionary('(1, 1)'), 8, 2, 0xffffffff), 'header'],
    ['format version 9', npyFile.bind(null, dictionary('(1, 1)'), 8, 9), 'version'],
    ['a negative shape', npyFile.bind(null, dictionary('(-1, 1)'), 8), 'NumPy'],
    ['a shape that is no tuple', npyFile.bind(null, dictionary('5'), 8), 'shape'],
    ['no storage order', npyFile.bind(null, dictionary('(1, 1)', '<f8', '1'), 8), 'order'],
    ['type |f8', npyFile.bind(null, dictionary('(1, 1)', '|f8'), 8), '|f8'],
    ['an unknown entry of the header', npyFile.bind(null, "{'descr': '<f8', 'x': 1}", 8), 'order'],
    [
      'an entry of the header given twice',
      npyFile.bind(null, "{'descr': '<f8', 'descr': '<f4'}", 8),
      'NumPy',
    ],
    ['a header that is code', npyFile.bind(null, "__import__('os').system('true')", 8), 'NumPy'],
    ['an endless tuple', npyFile.bind(null, `{'shape': (${'1,'.repeat(30_000)}`, 8), 'shape'],
    ['a deep header', npyFile.bind(null, '('.repeat(60_000), 8), '{'],
  ])('%s', async (_, makeFile, message) => {
    const error = await thrown(() => readMatrix(makeFile()));
    expect(error.code).toBe('BAD_FILE');
    expect(error.message).toContain(message);
  });

  it('names the entry of a matrix in Fortran order that is not finite', async () => {
    const header = dictionary('(2, 3)', '<f8', 'True');
    const path = npyFile(header, 48);
    const bytes = readFileSync(path);
    bytes.writeDoubleLE(Number.NaN, bytes.length - 24);
    // In Fortran order the fourth of 2 × 3 entries is row 1 of column 1.
    const error = await thrown(() => readMatrix(write('nan.npy', bytes)));
    expect(error).toMatchObject({ code: 'BAD_MATRIX', data: { row: 1, column: 1 } });
    expect(error.message).toContain('[1, 1]');
  });

  it('reads headers of Python 2, in any order and quotes', async () => {
    const path = npyFile(`{"shape": (2L,), "fortran_order": False, "descr": "<f8"}`, 16);
    expect(await readVector(path)).toEqual(new Float64Array(2));
  });

  it('reads arrays that are longer than a chunk, in both orders', async () => {
    const [rows, columns] = [700, 401];
    const table = matrix(
      rows,
      columns,
      Float64Array.from({ length: rows * columns }, (_, i) => Math.fround(i * 0.37)),
    );
    const path = join(directory, 'long.npy');
    writeNpy(path, table);
    // The bytes are compared, because toEqual takes a second for so many entries.
    expect(Buffer.from((await readMatrix(path)).data.buffer).equals(Buffer.from(table.data.buffer))).toBe(
      true,
    );
    // If the same bytes are read in Fortran order, they are the transpose.
    const bytes = readFileSync(path);
    const header = bytes
      .toString('latin1', 0, 128)
      .replace('False', 'True ')
      .replace('(700, 401)', '(401, 700)');
    bytes.write(header, 0, 'latin1');
    const transposed = await readMatrix(write('fortran.npy', bytes));
    expect([transposed.rows, transposed.columns]).toEqual([columns, rows]);
    const differs = table.data.findIndex(
      (value, i) => value !== transposed.data[(i % columns) * rows + Math.floor(i / columns)],
    );
    expect(differs).toBe(-1);
  });
});
