import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMatrix, readRightHandSide, readSquareMatrix, readVector } from '../../src/files/read-array.js';
import { TextTable } from '../../src/files/text-table.js';
import { writeNpy } from '../../src/files/write-npy.js';
import { matrix } from '../../src/linalg/matrix.js';
import { fileWriter, temporaryDirectory } from '../cli/support/temporary-files.js';
import { thrown } from '../cli/support/thrown.js';

const write = fileWriter();
const directory = temporaryDirectory();

/** Parses the text in pieces of `chunkBytes` bytes that share one buffer, as in the reader of files. */
function parse(text: string | Uint8Array, chunkBytes = 1 << 20) {
  const bytes = Buffer.from(text as string);
  const table = new TextTable('A.csv');
  const chunk = Buffer.alloc(chunkBytes);
  for (let start = 0; start < bytes.length; start += chunkBytes)
    table.push(chunk.subarray(0, bytes.copy(chunk, 0, start)));
  return table.finish();
}

const SMALL = { dimensions: 2, rows: 2, columns: 3, data: Float64Array.of(1, -2.5, 3e-7, 4, 0.5, -600) };
/** The entries of the 2×2 matrix with the rows (4.5, 1.25) and (1.25, 3). */
const EUROPEAN = [4.5, 1.25, 1.25, 3];

describe('tables as text', () => {
  it.each([
    ['commas', '1,-2.5,3e-7\n4,.5,-6.00E+2\n'],
    ['commas and blanks', ' 1, -2.5 ,3e-7\t\n 4 , .5, -6e2'],
    ['semicolons', '1;-2.5;3e-7\n4;.5;-600'],
    ['tabs', '1\t-2.5\t3e-7\n4\t.5\t-600'],
    ['tabs and blanks', '1\t -2.5 \t3e-7\n4\t.5 \t-600'],
    ['blanks', '  1   -2.5  +3e-7\n  4    0.5   -600.  \n'],
    ['a byte-order mark and CRLF', '\uFEFF1,-2.5,3e-7\r\n4,.5,-600\r\n'],
    ['comments and blank lines', '# a; b, c\n\n1,-2.5,3e-7 # first\n \t\n  # 5, 6\n4,.5,-600\n\n'],
  ])('%s', (_, text) => {
    for (const chunkBytes of [1, 2, 3, 7, 1 << 20]) expect(parse(text, chunkBytes)).toMatchObject(SMALL);
  });

  it.each([
    ['a word', '1,2\n3,abc', 2, 2, '"abc" is not a number'],
    ['NaN', '1,NaN', 1, 2, 'not finite'],
    ['an infinite number', '1 -inf', 1, 2, 'not finite'],
    ['a number beyond float64', '1,-1e999', 1, 2, 'too large'],
    ['a hexadecimal number', '0x10', 1, 1, '"0x10" is not a number'],
    ['half an exponent', '1,2,3e', 1, 3, '"3e" is not a number'],
    ['an empty field', '1,,3', 1, 2, 'empty'],
    ['a separator at the end', '1,2,\n', 1, 3, 'empty'],
    ['an empty field between tabs', '1\t\t3', 1, 2, 'empty'],
    ['a tab at the end', '1\t3\t', 1, 3, 'empty'],
    ['a tab at the beginning of a line', '\t7', 1, 1, 'empty'],
    ['a word before an empty field', '1 x\t\t3', 1, 2, '"x" is not a number'],
    ['words in the first and the last field', 'Δ, 2.25e3,   nix', 1, 1, '"Δ"'],
    ['a word in the third of three fields', '11.5, 2.25e3,   nix', 1, 3, '"nix"'],
    ['decimal commas and points', '1,5;2.5', 1, 1, '"1,5" is not a number', 'point'],
    ['a quote that does not end', '1,"2', 1, 2, 'not a number', 'quotation'],
    ['bytes that are no text', Buffer.from([0x31, 0x2c, 0xff, 0xfe]), 1, 2, 'not a number'],
    ['a Unicode minus', '1,\u22122', 1, 2, 'not a number'],
    ['control characters', '1,\x1b[2J', 1, 2, '\\u001b'],
  ])('%s is refused with its place', async (_, text, line, field, message, hint = '') => {
    const error = await thrown(() => parse(text));
    expect(error).toMatchObject({ code: 'BAD_MATRIX', data: { path: 'A.csv', line, field } });
    expect(error.message).toContain(`A.csv, line ${line}, field ${field}: `);
    expect(error.message).toContain(message);
    expect(error.hint).toContain(hint);
  });

  it.each<readonly [name: string, text: string, line: number, field: number]>([
    ['#DIV/0!', '1\n#DIV/0!\n2', 2, 1],
    ['#N/A beside a number', '4,#N/A\n1,3', 1, 2],
    ['#NV after a blank', '4 #NV\n1 3', 1, 2],
    ['#REF! below names', 'a;b\n#REF!;1\n2;3', 2, 1],
    ...['#NAME?', '#VALUE!', '#NUM!', '#NULL!', '#WERT!', '#BEZUG!', '#ÜBERLAUF!'].map(
      (text) => [text, `${text}\n2`, 1, 1] as const,
    ),
  ])('%s is an error of a spreadsheet and no comment', async (_, text, line, field) => {
    const error = await thrown(() => parse(text));
    expect(error).toMatchObject({ code: 'BAD_MATRIX', data: { line, field } });
    expect(error.message).toContain('error value of a spreadsheet');
  });

  it.each([
    ['semicolons and decimal commas', '\uFEFF4,5;1,25\r\n1,25;3,0\r\n'],
    ['tabs and decimal commas', '4,5\t1,25\n1,25\t3,0'],
    ['blanks and decimal commas', '4,5 1,25\n1,25 3'],
    ['quoted decimal commas between commas', '"4,5","1,25"\n"1,25","3"'],
    ['quotes', '"4.5","1.25"\n"1.25","3"'],
    ['carriage returns alone', '4.5,1.25\r1.25,3\r'],
    ['a header', 'mass,length\n4.5,1.25\n1.25,3'],
    ['a header with digits', 'x1,x2\n4.5,1.25\n1.25,3'],
    ['a quoted header of digits', '"0","1"\n4.5,1.25\n1.25,3'],
    ['a quoted header with a separator in a name', '"a;b";c\n4,5;1,25\n1,25;3'],
    ['the header and index that pandas writes', ',0,1\n0,4.5,1.25\n1,1.25,3.0'],
    ['the header and index that R writes', '"V1" "V2"\n"1" 4.5 1.25\n"2" 1.25 3'],
    ['an index of names', 'node,a,b\na,4.5,1.25\nb,1.25,3'],
    ['an index column with the name id', 'id;a;b\n1;4,5;1,25\n2;1,25;3'],
    ['row names without column names', 'a 4.5 1.25\nb 1.25 3'],
    ['a comment after a number', '4.5,1.25 # first, row\n1.25,3 #'],
  ])('%s are read', (_, text) => {
    for (const chunkBytes of [1, 5, 1 << 20]) {
      const { rows, columns, data } = parse(text, chunkBytes);
      expect([rows, columns, ...data]).toEqual([2, 2, ...EUROPEAN]);
    }
  });

  it('one column with decimal commas is read even if some lines have no comma', () => {
    expect([...parse('1,5\n2\n0,25\n').data]).toEqual([1.5, 2, 0.25]);
    expect([...parse('force\n1,5\n4,25\n').data]).toEqual([1.5, 4.25]);
  });

  it.each([
    ['thousands or decimals', '1,234;5,678\n3;4', '1,234'],
    ['thousands or decimals in one column', '1\n2,500\n3', '2,500'],
    ['English thousands', '1,234.5;2\n3;4', 'thousands separators'],
    ['German thousands', '1.234,5;2\n3;4', 'thousands separators'],
    ['Swiss thousands', "1'234;2\n3;4", 'thousands separators'],
    ['thousands with blanks', '1 234,5;2\n3;4', 'thousands separators'],
    ['numbered rows or decimals', 'x\n1,5\n2,7', 'row 1 with the number 5'],
  ])('%s: refused, and the error says what the text may mean', async (_, text, message) => {
    const error = await thrown(() => parse(text));
    expect(error.code).toBe('BAD_MATRIX');
    expect(error.message).toMatch(/^A.csv, line [12]/);
    expect(error.message).toContain(message);
    expect(error.hint).toMatch(/^Write /);
  });

  it.each(['4,1x\n1,3', 'O1,2\n3,4', '1,nan\n2,3'])(
    'a number with a typing error does not count as a header: %j',
    async (text) => {
      expect((await thrown(() => parse(text))).data).toMatchObject({ line: 1 });
    },
  );

  it('the separator and the decimal mark of the first lines hold for all lines', async () => {
    const lines = Array.from({ length: 400 }, (_, i) => `${i};${i},5`);
    expect(parse(lines.join('\n')).data[799]).toBe(399.5);
    lines[390] = '390;390.5';
    expect((await thrown(() => parse(lines.join('\n')))).data).toMatchObject({ line: 391, field: 2 });
  });

  it('a line with another separator is refused, and the error names the line', async () => {
    const error = await thrown(() => parse('1,2\n3;4'));
    expect(error.message).toMatch(/^A.csv, line 2: fields are separated by semicolons here, but by commas/);
  });

  it('the error for rows of different lengths names both lines', async () => {
    const error = await thrown(() => parse('# head\n1 2 3\n\n4 5\n'));
    expect(error.code).toBe('BAD_MATRIX');
    expect(error.message).toBe('A.csv, line 4 has 2 values, but line 2 has 3 values.');
  });

  it.each([
    ['only comments', '# 1,2\n\n'],
    ['zero bytes', '1,2\0'],
    ['UTF-16', Buffer.from('\uFEFF1,2\n', 'utf16le')],
  ])('a file with %s is refused with BAD_FILE', async (_, text) => {
    expect((await thrown(() => parse(text))).code).toBe('BAD_FILE');
  });

  it('any numbers are read back from every way of writing', () => {
    const rowsOfNumbers = fc
      .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
      .chain(([rows, columns]) =>
        fc.array(
          fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
            minLength: columns,
            maxLength: columns,
          }),
          { minLength: rows, maxLength: rows },
        ),
      );
    const separators = fc.constantFrom(',', ';', '\t', ' ', ' , ', '   ');
    fc.assert(
      fc.property(
        rowsOfNumbers,
        separators,
        fc.constantFrom('\n', '\r\n'),
        fc.nat(40),
        (rows, between, end, chunk) => {
          const write = (value: number) => (Object.is(value, -0) ? '-0' : String(value));
          const text = rows.map((row) => row.map(write).join(between) + end).join('');
          const table = parse(text, chunk + 1);
          expect(table.data).toEqual(Float64Array.from(rows.flat()));
          expect([table.rows, table.columns]).toEqual([rows.length, rows[0].length]);
        },
      ),
      { numRuns: 200 },
    );
  });

  const texts: [string, (length: number) => string][] = [
    ['one long number', (length) => '1'.repeat(length)],
    ['a number that ends in a letter', (length) => `${'1'.repeat(length)}x`],
    ['blanks that end in a letter', (length) => `1${' '.repeat(length)}x`],
    ['empty lines', (length) => '\n'.repeat(length)],
  ];
  it.each(texts)('takes processor time in proportion to the text: %s', expectProportional);
  it.each<(typeof texts)[number]>([['one long row', (length) => '1\t'.repeat(length / 2)]])(
    'takes processor time in proportion to the text: %s',
    { tags: 'long' },
    expectProportional,
  );

  async function expectProportional(...[, textOf]: (typeof texts)[number]): Promise<void> {
    const cpuMs = async (length: number): Promise<number> => {
      const text = `${textOf(length)}\ny`;
      const before = process.cpuUsage().user;
      await thrown(() => parse(text));
      return (process.cpuUsage().user - before) / 1000;
    };
    await cpuMs(1e4);
    const short = await cpuMs(3e4);
    const long = await cpuMs(2.4e5);
    // If the work grows with the square of the length, eight times the text takes 64 times as long. The bound
    // is at least 200 ms, because short times vary.
    expect(long).toBeLessThan(Math.max(24 * short, 200));
  }
});

describe('files', () => {
  it('the same numbers give the same matrix and vector from CSV and from npy', async () => {
    const values = Float64Array.from({ length: 12 }, (_, i) => Math.sin(i) * 10 ** (i - 6));
    const npyPath = join(directory, 'same.npy');
    writeNpy(npyPath, matrix(4, 3, values));
    const lines = [0, 3, 6, 9].map((at) => values.slice(at, at + 3).join(';'));
    const csvPath = write('same.csv', lines.join('\n'));
    expect(await readMatrix(csvPath)).toEqual(await readMatrix(npyPath));
    writeNpy(npyPath, values);
    expect(await readVector(write('same.TXT', values.join('\n')))).toEqual(await readVector(npyPath));
  });

  it('a vector is one column or one row', async () => {
    const expected = Float64Array.of(1, 2, 3);
    expect(await readVector(write('column.csv', '1\n2\n3\n'))).toEqual(expected);
    expect(await readVector(write('row.csv', '1,2,3\n'))).toEqual(expected);
    const error = await thrown(() => readVector(write('table.csv', '1,2\n3,4\n')));
    expect(error).toMatchObject({ code: 'BAD_MATRIX', data: { shape: [2, 2] } });
  });

  it.each(['1.234,5\n2\n', '2\n1,234.5\n'])(
    '%j: rows of different lengths give a hint about decimal commas',
    async (text) => {
      const error = await thrown(() => readVector(write('commas.csv', text)));
      expect(error.message).toMatch(/line 2 has . values?, but line 1 has . values?\.$/);
      expect(error.hint).toContain('write 1234.5');
    },
  );

  it.each([
    ['header.csv', '0,1\n4,1\n1,3\n', 'if it is a header'],
    ['years.csv', '2020,2021\n4.5,1.25\n1.25,3\n', 'first row counts the columns: if it is a header'],
    ['some-years.csv', '2020,2024\n4.5,1.25\n1.25,2.5\n', 'in its first row alone: if it is a header'],
    ['years-down.csv', '2020,4.5,1.25\n2021,1.25,3\n', 'first column counts the rows: if it is an index'],
    ['index.csv', '0,4,1\n1,1,3\n', 'if it is an index'],
    ['commas.csv', '4,5,1,25\n1,25,3,0\n', 'decimal commas'],
  ])(
    '%s: an error about a shape that is not square names the file and possible causes',
    async (name, text, suspicion) => {
      const path = write(name, text);
      const error = await thrown(() => readSquareMatrix(path));
      expect(error.code).toBe('BAD_MATRIX');
      expect(error.message).toContain(`${path} holds a `);
      expect(error.hint).toContain(suspicion);
      expect((await thrown(() => readVector(path))).hint).toContain(suspicion);
    },
  );

  it.each([
    ['a column name of pandas', '0\n1.5\n2.5\n', 2, '3 numbers', 'if it is the name of the column'],
    ['a year', '2020\n1.5\n2.5\n', 2, '3 numbers', 'if it is a header'],
    ['a decimal comma', '1,5\n', 1, '2 numbers', 'decimal commas'],
    ['an index', '0,1.5\n1,2.5\n', 2, 'a 2×2 matrix', 'if it is an index'],
    ['a number too few', '1\n2\n', 3, '2 numbers', 'one number for each row'],
  ])('a right-hand side of the wrong length, by %s, names its file and both sizes', async (...test) => {
    const [, text, size, found, suspicion] = test;
    const path = write('b.csv', text);
    const error = await thrown(() => readRightHandSide(path, 'A.npy', size));
    expect(error.code).toBe('BAD_MATRIX');
    expect(error.message).toContain(`${path} holds ${found} where `);
    expect(error.message).toMatch(new RegExp(`needs ${size}\\.$|a vector of ${size} numbers is needed\\.$`));
    expect(error.hint).toContain(suspicion);
    expect(await readRightHandSide(write('b.csv', '1;2'), 'A.npy', 2)).toEqual(Float64Array.of(1, 2));
  });

  it('a file longer than a chunk is read', async () => {
    const count = 80_000;
    const lines = Array.from({ length: count }, (_, i) => `${i}, ${i / 7}`);
    const table = await readMatrix(write('long.csv', lines.join('\n')));
    expect([table.rows, table.columns, table.data[2 * count - 1]]).toEqual([count, 2, (count - 1) / 7]);
  });

  it.each([
    ['', 'empty'],
    ['missing.csv', 'does not exist'],
    ['missing/a.npy', 'does not exist'],
    ['noextension', 'does not exist'],
    ['/', 'is a directory'],
    ['a\0.csv', 'zero byte'],
    [`${'x'.repeat(5000)}.csv`, 'longer path'],
  ])('%j is BAD_FILE', async (name, message) => {
    const error = await thrown(() => readMatrix(name));
    expect(error).toMatchObject({ code: 'BAD_FILE', hint: expect.stringMatching(/\.$/) });
    expect(error.message).toContain(message);
  });

  it.each(['noextension', 'a.npz', 'constructor', '.csv'])(
    'a file named %s is read by its content',
    async (name) => {
      expect(await readVector(write(name, '1'))).toEqual(Float64Array.of(1));
    },
  );

  it('directories, pipes, devices, loops and empty files are BAD_FILE, and nothing hangs', async () => {
    mkdirSync(join(directory, 'dir.csv'));
    execFileSync('mkfifo', [join(directory, 'pipe.csv')]);
    symlinkSync('loop.csv', join(directory, 'loop.csv'));
    symlinkSync('/dev/zero', join(directory, 'device.npy'));
    for (const [name, message] of [
      ['dir.csv', 'is a directory'],
      ['pipe.csv', 'not a regular file'],
      ['loop.csv', 'leads to itself'],
      ['device.npy', 'not a regular file'],
    ]) {
      const error = await thrown(() => readMatrix(join(directory, name)));
      expect(error.code).toBe('BAD_FILE');
      expect(error.message).toContain(message);
    }
    for (const name of ['empty.csv', 'empty.npy'])
      expect((await thrown(() => readMatrix(write(name, '')))).message).toContain('is empty');
  });

  it('files beyond 2 GiB are refused unread', async () => {
    for (const name of ['huge.csv', 'huge.npy']) {
      const path = write(name, '1');
      truncateSync(path, 2 ** 31 + 1); // sparse: takes no room
      expect((await thrown(() => readMatrix(path))).message).toContain('2 GiB');
    }
  });
});
