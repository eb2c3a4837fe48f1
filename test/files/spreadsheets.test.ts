import { describe, expect, it } from 'vitest';
import { TextTable } from '../../src/files/text-table.js';
import { thrown } from '../cli/support/thrown.js';

function parse(text: string) {
  const table = new TextTable('A.csv');
  table.push(Buffer.from(text));
  return table.finish();
}

/** The entries of the 2×2 matrix with the rows (4.5, 1.25) and (1.25, 3). */
const ROWS = [4.5, 1.25, 1.25, 3];

describe('texts as spreadsheets and other programs write them', () => {
  it.each([
    ['the first line of Excel', 'sep=;\r\n4,5;1,25\r\n1,25;3\r\n', ROWS],
    ['a byte-order mark before it', '\uFEFFsep=;\r\n4,5;1,25\r\n1,25;3\r\n', ROWS],
    ['the same with a header', 'SEP=;\na;b\n4,5;1,25\n1,25;3\n', ROWS],
    ['the same with a tab', 'sep=\t\n4.5\t1.25\n1.25\t3\n', ROWS],
    ['the same with a comma as the separator', 'sep=,\n4,5\n1,2\n', [4, 5, 1, 2]],
    ['a semicolon at the end of each line', '4,5;1,25;\n1,25;3;\n', ROWS],
    ['a comma at the end of each line', '4.5,1.25,\n1.25,3,\n', ROWS],
    ['a comma at the end of each line, also of names', 'a,b,\n4.5,1.25,\n1.25,3,\n', ROWS],
    ['a comma at the end of each line except the line of names', 'a,b\n4.5,1.25,\n1.25,3,\n', ROWS],
    ['a tab at the end of each line', '4.5\t1.25\t\r\n1.25\t3\t\r\n', ROWS],
    ['a comma after each number of a column', '4.5,\n1.25,\n3,\n', [4.5, 1.25, 3]],
    ['an index that pandas left unnamed', 'Unnamed: 0,0,1\n0,4.5,1.25\n1,1.25,3\n', ROWS],
    ['years as row names', ',a,b\n2020,4.5,1.25\n2021,1.25,3\n', ROWS],
    ['row names of R without column names', '"1" 4.5 1.25\n"2" 1.25 3\n', ROWS],
    ['what R writes for Germans', '"";"V1";"V2"\n"1";4,5;1,25\n"2";1,25;3\n', ROWS],
    ['a series of pandas', ',0\n0,4.5\n1,3\n', [4.5, 3]],
    ['a title', 'Stiffness\n4.5,1.25\n1.25,3\n', ROWS],
    [
      'a matrix of Octave',
      '# name: A\n# type: matrix\n# rows: 2\n# columns: 2\n 4.5 1.25\n 1.25 3\n\n\n',
      ROWS,
    ],
    ['sodium and potassium', 'Na,K\n4.5,1.25\n1.25,3\n', ROWS],
    ['a column whose decimals begin with 0', 'x\n4,05\n2,5\n', [4.05, 2.5]],
    ['three decimals between semicolons', '0.125;2.000\n2.000;3.500\n', [0.125, 2, 2, 3.5]],
    ['names after a # without a blank', '#RA,DEC\n4.5,1.25\n1.25,3\n', ROWS],
    ['a row that was commented out', '#4,5\n1\n2\n', [1, 2]],
  ])('%s is read', (_, text, data) => {
    expect([...parse(text).data]).toEqual(data);
  });

  it.each([
    ['a cell that is empty at the beginning of each line', ';4,5;1,25\n;1,25;3\n', 'it is empty'],
    ['the same between tabs', '\t4.5\t1.25\n\t1.25\t3\n', 'it is empty'],
    ['a matrix without its first number', ',1,0\n1,3,0\n0,0,2\n', 'it is empty'],
    ['a 2×2 matrix without its first number', ',1\n1,2\n', 'it is empty'],
    ['two separators at each end', '1;2;;\n3;4;;\n', 'it is empty'],
    ['a separator at the end of one line', '4.5,1.25,\n1.25,3\n', 'it is empty'],
    ['a number after the last separator', '1;2;\n3;4;5\n', 'it is empty'],
    ['a last column that is named and empty', 'a,b,c\n4.5,1.25,\n1.25,3,\n', '"a" is not a number'],
    ['names for fewer columns than there are', 'a,b\n2020,4.5,1.25\n2021,1.25,3\n', '"a" is not a number'],
    ['German thousands without decimals', '1.234;2.000\n2.000;3.500\n', '1234 with a thousands separator'],
    ['thousands with blanks between tabs', '1 234\t2 000\n2 000\t3 500\n', 'blanks stand between digits'],
    ['thousands with blanks and decimal commas', '1 234,5\n2 500,25\n', 'blanks stand between digits'],
    ['thousands with blanks in one row', '2 3\n1 234 5\n', 'line 2: "1 234" seems to be 1234'],
    ['thousands with blanks in the first row', '5 1 234.5\n2 3\n', 'line 1: "1 234.5" seems to be 1234.5'],
    ['a column with one number above 1000', '999\n1 000\n', 'line 2: "1 000" seems to be 1000'],
    ['thousands or row names', 'a b\n1 234 5\n2 345 6\n', '"1 234" is row 1 with the number 234, or one'],
    ['decimals that begin with 0', '1,05,2,50\n3,01,4,07\n', '"05" is a number that begins with 0'],
    ['units below the names', 'x,y\nm,kg\n4.5,1.25\n1.25,3\n', '"m" is not a number'],
    ['a footer', '4.5,1.25\n1.25,3\nTotal,4.25\n', '"Total" is not a number'],
    ['a separator of Excel that is not read', 'sep=|\n1|2\n', 'is not a number'],
    ['two matrices of Octave', '# type: matrix\n1 0\n0 1\n\n# type: matrix\n2 0\n0 2\n', 'second variable'],
    [
      'a sparse matrix of Octave',
      '# type: sparse matrix\n1 1 4\n2 2 3\n',
      'type "sparse matrix" is not read',
    ],
    ['a diagonal matrix of Octave', '# type: diagonal matrix\n1\n2\n', 'type "diagonal matrix" is not read'],
    ...['NA', 'NULL', 'None', 'missing', 'NaT', 'n/a', 'true', 'FALSCH'].flatMap((word) => [
      [`${word} as a first row`, `${word},${word}\n1,2\n2,3\n`, `"${word}" is not a number`],
      [`${word} as a first column`, `${word},4.5\n${word},3\n`, `"${word}" is not a number`],
    ]),
    ...['#N/D', '#NV', '#ND', '#N.D.', '#YOK', '#I/T', '#Н/Д', '#¿NOMBRE?', '#¡NULO!', '#NOM?'].map(
      (text) => [`${text} in a column`, `1\n${text}\n2\n`, 'error value of a spreadsheet'],
    ),
    ...['#GETTING_DATA', '#div/0!', '#n/a', '#Name?'].map((text) => [
      `${text} in a column`,
      `1\n${text}\n2\n`,
      'error value of a spreadsheet',
    ]),
    ['a number too wide for its column', '1\n#####\n2\n', 'too wide for its column'],
    ['a number too wide in a row', '######,1\n1,2\n', 'too wide for its column'],
    ['a percentage', '45%,12%\n12%,30%\n', '"45%" is not a number'],
    ['a currency', '4,50 €;1,25 €\n1,25 €;3,00 €\n', '"4,50 €" is not a number'],
    ['a negative number of an accountant', '(4.5),1.25\n1.25,3\n', '"(4.5)" is not a number'],
    ['dates', '2024-01-01,4.5\n2024-01-02,3\n', '"2024-01-01" is not a number'],
    ['exponents of Fortran', '4.5D0 1.25D0\n1.25D0 3D0\n', '"4.5D0" is not a number'],
    ['complex numbers', '4.5+1i,1.25\n1.25,3\n', '"4.5+1i" is not a number'],
    ['numbers that touch', '4.500-1.250\n1.250 3.000\n', '"4.500-1.250" is not a number'],
    ['formulas', '="4.5",="1.25"\n="1.25",="3"\n', 'is not a number'],
  ])('%s: refused', async (_, text, message) => {
    const error = await thrown(() => parse(text));
    expect(error.code).toMatch(/^BAD_(MATRIX|FILE)$/);
    expect(error.message).toMatch(/^A\.csv, line \d/);
    expect(error.message).toContain(message);
    expect(error.hint).toMatch(/\.$/);
  });

  it.each([
    ['a decimal point among decimal commas', '4.5;1,25\n1,25;3\n', '"4.5" has a decimal point'],
    ['a minus sign of a word processor', '4,\u22121\n\u22121,3\n', 'its minus sign is another character'],
  ])('%s is named in the error', async (_, text, what) => {
    const error = await thrown(() => parse(text));
    expect(error.code).toBe('BAD_MATRIX');
    expect(error.message).toContain(what);
  });
});
