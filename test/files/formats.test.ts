import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js';
import { describe, expect, it } from 'vitest';
import { readMatrix, readSquareMatrix, readVector } from '../../src/files/read-array.js';
import { fileWriter } from '../cli/support/temporary-files.js';
import { thrown } from '../cli/support/thrown.js';
import { CONTAINERS } from './container-fixtures.js';

const write = fileWriter();
const bytesOf = (name: string): Buffer => Buffer.from(CONTAINERS[name], 'base64');
const A = [4, 1, 0, 1, 3, -0.5, 0, -0.5, 2.25];
const BANNER = '%%MatrixMarket matrix coordinate real symmetric\n';

describe('the content decides the format of a file, not its name', () => {
  it.each([
    ['one array', 'A.npz'],
    ['gzip of npy', 'A.npy'],
    ['gzip of text', 'A'],
    ['array general', 'A.mtx'],
    ['array symmetric', 'A.txt'],
    ['coordinate general', 'A.csv'],
    ['coordinate symmetric', 'A.mtx'],
  ])('%s, in a file called %s', async (content, name) => {
    const { rows, columns, data } = await readSquareMatrix(write(name, bytesOf(content)));
    expect([rows, columns, ...data]).toEqual([3, 3, ...A]);
  });

  it.each(['two arrays', 'two arrays, compressed'])(
    '%s: the name after a colon selects an array',
    async (content) => {
      const path = write('two.npz', bytesOf(content));
      expect([...(await readMatrix(`${path}:A`)).data]).toEqual(A);
      expect([...(await readVector(`${path}:b`))]).toEqual([0, 1, 2]);
      for (const name of [path, `${path}:c`]) {
        const error = await thrown(() => readMatrix(name));
        expect(error.code).toBe('BAD_FILE');
        expect(error.message).toMatch(/there is b, A\.$/);
        expect(error.hint).toContain(`${path}:b`);
      }
    },
  );

  it('Matrix Market files of SciPy are read with any line ends, and with a byte-order mark', async () => {
    const lines = bytesOf('coordinate symmetric').toString();
    for (const text of [lines, `\uFEFF${lines}`])
      for (const end of ['\r\n', '\r'])
        expect([...(await readMatrix(write('A.mtx', text.replaceAll('\n', end)))).data]).toEqual(A);
  });

  it.each([
    ['sparse', 'sparse matrix of SciPy', 'load_npz'],
    ['records', 'records', 'structured_to_unstructured'],
    ['MATLAB', 'MATLAB', 'csr_matrix(scipy.io.loadmat'],
    ['complex', 'complex', 'real'],
    ['pattern', 'pattern', 'real'],
    ['gzip of gzip', 'compressed twice', 'once'],
  ])('%s is refused with a remedy', async (content, message, hint) => {
    const error = await thrown(() => readMatrix(write('A.dat', bytesOf(content))));
    expect(error.code).toBe('BAD_FILE');
    expect(error.message).toContain(message);
    expect(error.hint).toContain(hint);
  });

  // The head of a file of MATLAB 7.3 is a text of 512 bytes, and HDF5 begins after it.
  it.each([
    `${'MATLAB 7.3 MAT-file, Platform: GLNXA64'.padEnd(512)}\x89HDF\r\n\x1a\n\0`,
    '\x89HDF\r\n\x1a\n\0',
  ])('HDF5, which SciPy does not read, is refused with a hint that names h5py', async (content) => {
    const error = await thrown(() => readMatrix(write('A.mat', Buffer.from(content, 'latin1'))));
    expect(error.code).toBe('BAD_FILE');
    expect(error.hint).toContain('h5py');
  });

  it('a workbook is no .npz file', async () => {
    const writer = new ZipWriter(new Uint8ArrayWriter());
    for (const name of ['[Content_Types].xml', 'xl/workbook.xml'])
      await writer.add(name, new Uint8ArrayReader(Buffer.from('<x/>')));
    const error = await thrown(async () => readMatrix(write('A.xlsx', Buffer.from(await writer.close()))));
    expect(error.message).toContain('spreadsheet');
    expect(error.hint).toContain('.csv');
  });

  it('a damaged byte of a zip or gzip file is noticed, or changes nothing', () => expectDamageNoticed(97));

  it('each of many damaged bytes is noticed, or changes nothing', { tags: 'long' }, () =>
    expectDamageNoticed(3),
  );

  /** Damages each `stride`-th byte by itself, and cuts the file at the same place. */
  async function expectDamageNoticed(stride: number): Promise<void> {
    for (const content of ['one array', 'two arrays, compressed', 'gzip of npy']) {
      const whole = bytesOf(content);
      for (let at = 4; at < whole.length; at += stride) {
        const damaged = Buffer.from(whole);
        damaged[at] ^= 0x10;
        const path = write('damaged.npz', damaged);
        try {
          expect([...(await readMatrix(content.startsWith('two') ? `${path}:A` : path)).data]).toEqual(A);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^BAD_(FILE|MATRIX)$/) });
        }
        const cut = write('cut.npz', whole.subarray(0, at));
        expect((await thrown(() => readMatrix(cut))).code).toMatch(/^BAD_(FILE|MATRIX)$/);
      }
    }
  }

  it.each([
    ['an entry outside', `${BANNER}2 2 1\n3 1 4\n`, 'BAD_MATRIX', 'line 3: (3, 1) is outside'],
    [
      'an entry twice',
      `${BANNER}2 2 2\n2 1 4\n1 2 4\n`,
      'BAD_MATRIX',
      'line 4: the entry (1, 2) is given twice',
    ],
    ['a word', `${BANNER}2 2 1\n1 1 x\n`, 'BAD_MATRIX', 'line 3: "x" is not a finite number'],
    ['an entry too few', `${BANNER}2 2 2\n1 1 4\n`, 'BAD_FILE', 'holds 1 entries, not 2'],
    ['an entry too many', `${BANNER}2 2 1\n1 1 4\n2 2 4\n`, 'BAD_FILE', 'comes after the last entry'],
    ['no sizes', BANNER, 'BAD_FILE', 'sizes'],
    ['a symmetric 2×3', `${BANNER}2 3 0\n`, 'BAD_FILE', 'cannot be symmetric'],
    ['nothing', `${BANNER}0 0 0\n`, 'BAD_MATRIX', 'no entry'],
    ['too much', `${BANNER}99999 99999 0\n`, 'BAD_FILE', 'more than'],
    ['another banner', '%%MatrixMarket vector array real general\n', 'BAD_FILE', 'first line'],
  ])('Matrix Market with %s is refused, and the error tells the reason', async (_, text, code, message) => {
    const error = await thrown(() => readMatrix(write('A.mtx', text)));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });
});
