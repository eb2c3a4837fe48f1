import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readProgram } from '../../src/files/read-program.js';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-qp-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function read(name: string, text: string) {
  writeFileSync(join(directory, name), text);
  return readProgram(join(directory, name));
}

const QPS = `* a comment
NAME T
ROWS
 N obj
 N other
 G low
 L high
 E same
COLUMNS
 a obj 1.5 low 2
 a other 9 high -1
 b low 1 high 2D0
 b same 3
RHS
 set low 2 high 6
 set same 1 obj -4
RANGES
 set low 5 high 1.5
 set same -2
BOUNDS
 UP set a 20
 MI set b
 UP set b -1
QUADOBJ
 a a 8
 a b 2
 b b 10
ENDATA
`;

describe('a QPS file', () => {
  test('is read: ranges, bounds, constant, one triangle of P', async () => {
    const { hessian, linear, constraints, lower, upper, constant } = await read('t.qps', QPS);
    expect([...hessian.data]).toEqual([8, 2, 2, 10]);
    expect([...linear]).toEqual([1.5, 0]);
    expect([...constraints.data]).toEqual([2, 1, -1, 2, 0, 3, 1, 0, 0, 1]);
    expect([...lower]).toEqual([2, 4.5, -1, 0, -Infinity]);
    expect([...upper]).toEqual([7, 6, 1, 20, -1]);
    expect(constant).toBe(4);
  });

  const replaced = (from: string, to: string) => QPS.replace(from, to);
  test.each([
    ['a cut end', replaced('ENDATA\n', ''), /has no ENDATA: it may be cut/],
    ['an unknown section', replaced('QUADOBJ', 'CSECTION'), /line 24 begins the section "CSECTION"/],
    ['a row that does not exist', replaced('b same 3', 'b none 3'), /line 13 names the row "none"/],
    ['a column that does not exist', replaced('MI set b', 'MI set c'), /names the column "c"/],
    ['a number that is none', replaced('2D0', 'NaN'), /line 12 has "NaN" where a finite number belongs/],
    ['an entry that is given twice', replaced('b same 3', 'b low 3'), /"b" in "low" a second time/],
    ['both triangles', replaced(' b b 10', ' b a 2'), /a second time/],
    ['integer variables', replaced(' b same 3', " m 'MARKER' 'INTORG'"), /integer variables/],
    ['binary bounds', replaced(' MI set b', ' BV set b'), /kind "BV"/],
    ['a second right-hand side', replaced(' set same 1 obj', ' two same 1 obj'), /second set of RHS/],
    ['an upper bound below an open zero', replaced(' MI set b\n', ''), /leaves its lower bound open/],
    ['maximisation', replaced('ROWS', 'OBJSENSE\n MAX\nROWS'), /section "OBJSENSE"/],
  ])('with %s is refused', (_, text, message) =>
    expect(read('bad.qps', text)).rejects.toMatchObject({
      code: 'BAD_FILE',
      message: expect.stringMatching(message),
    }),
  );
});

const JSON_PROGRAM = {
  P: [
    [4, 1],
    [0, 2],
  ],
  q: [1, 1],
  A: [
    [1, 1],
    [1, 0],
  ],
  l: [1, null],
  u: [1, 0.7],
};

describe('a JSON file', () => {
  test('is read: rows, sparse columns, the upper triangle alone, absent bounds', async () => {
    const rows = await read('r.json', JSON.stringify(JSON_PROGRAM));
    expect([...rows.hessian.data]).toEqual([4, 1, 1, 2]);
    expect([...rows.lower]).toEqual([1, -Infinity]);
    const sparse = {
      ...JSON_PROGRAM,
      l: [1, -1e30],
      P: { shape: [2, 2], data: [4, 1, 2], indices: [0, 0, 1], indptr: [0, 1, 3] },
      A: { shape: [2, 2], data: [1, 1, 1], indices: [0, 1, 0], indptr: [0, 2, 3] },
    };
    expect(await read('s.json', JSON.stringify(sparse))).toEqual(rows);
  });

  test.each([
    ['no JSON', '{"P": ', /is no JSON, or is cut/],
    ['no object', '[]', /it is no object/],
    ['no q', JSON.stringify({ ...JSON_PROGRAM, q: undefined }), /q is missing/],
    [
      'a row that is too short',
      JSON.stringify({ ...JSON_PROGRAM, A: [[1], [1, 0]] }),
      /row 0 of A has 1 entries/,
    ],
    ['a text', JSON.stringify({ ...JSON_PROGRAM, q: [1, 'x'] }), /entry 1 of q is no finite number/],
    ['too few bounds', JSON.stringify({ ...JSON_PROGRAM, u: [1] }), /u has 1 entries and A 2 rows/],
    [
      'broken columns',
      JSON.stringify({ ...JSON_PROGRAM, A: { shape: [2, 2], data: [1], indices: [5], indptr: [0, 1, 1] } }),
      /names row 5 of 2/,
    ],
  ])('with %s is refused', (_, text, message) =>
    expect(read('bad.json', text)).rejects.toMatchObject({
      code: 'BAD_FILE',
      message: expect.stringMatching(message),
    }),
  );

  test('of another name is refused', () =>
    expect(read('p.txt', '{}')).rejects.toThrow(/not named as a quadratic/));
});
