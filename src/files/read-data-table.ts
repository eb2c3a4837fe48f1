import { ThermolinkError } from '../errors.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import { counted } from '../number-text.js';
import { badFile, readInputFile } from './input-file.js';
import {
  type Cell,
  cellFault,
  type Decimal,
  isNumber,
  numberOf,
  type Separator,
  separatorOf,
  splitCells,
} from './text-cells.js';

/** A table whose first line names its columns. */
export interface DataTable {
  readonly path: string;
  readonly names: readonly string[];
  /** One row of texts for each line. */
  readonly rows: readonly DataRow[];
  /** The decimal sign of its numbers. */
  readonly decimal: Decimal;
}

interface DataRow {
  /** The line in the file, from 1. */
  readonly line: number;
  readonly cells: readonly Cell[];
}

const ROWS_MAX = 1_000_000;
/** A first line that names the separator. Excel writes and reads such a line. */
const NAMED_SEPARATOR = /^sep=([,;\t])\s*$/i;

/** Reads and parses a file. Errors: those of `parseDataTable`; BAD_FILE. */
export async function readDataTable(path: string): Promise<DataTable> {
  return parseDataTable(path, await readInputFile(path));
}

/**
 * Parses a table of text with a header: commas, semicolons, tabs or blanks between cells, decimal commas if
 * commas do not separate cells, quotes around texts that need them. Empty lines, and lines that start with #,
 * are left out. `numbersOf` or `textsOf` interpret the cells later.
 *
 * Errors: BAD_FILE if the text is not a table with a header and a row; BAD_MATRIX for a line with another
 * number of cells, such as the last one of a file that was cut.
 */
export function parseDataTable(path: string, bytes: Uint8Array): DataTable {
  // The decoder leaves out a byte-order mark.
  const text = new TextDecoder('utf-8').decode(bytes);
  if (text.includes('\0'))
    throw badFile(path, `${path} is not a text file: it holds zero bytes.`, 'Save the table as text, UTF-8.');
  const lines = text
    .split(/\r\n|\n|\r/)
    .map((content, index) => ({ line: index + 1, content }))
    .filter(({ content }) => content.trim() !== '' && !content.startsWith('#'));
  const given = NAMED_SEPARATOR.exec(lines[0]?.content ?? '')?.[1] as Separator | undefined;
  if (given !== undefined) lines.shift();
  if (lines.length < 2 || lines.length > ROWS_MAX)
    throw badFile(
      path,
      `${path} holds ${counted(lines.length, 'line')}.`,
      `Write a line with the names of the columns, and up to ${ROWS_MAX} rows below it.`,
    );
  const separator = given ?? headSeparator(lines[0].content);
  const [header, ...rows] = lines.map(({ line, content }) => ({
    line,
    cells: splitCells(content, separator),
  }));
  const names = header.cells.map((cell) => cell.text);
  refuseBadNames(path, names);
  for (const { line, cells } of rows)
    if (cells.length !== names.length)
      throw new ThermolinkError(
        'BAD_MATRIX',
        `${path}, line ${line} has ${counted(cells.length, 'cell')} where the header names ${names.length}.`,
        {
          hint:
            line === rows.at(-1)!.line
              ? 'It is the last line: the file may have been cut.'
              : 'Give every row one cell for each column, and put texts with separators in quotes.',
          data: { path, line },
        },
      );
  return { path, names, rows, decimal: decimalOf(rows, separator) };
}

/** If the header has a tab, blanks do not separate, because texts may contain blanks. */
function headSeparator(head: string): Separator {
  const separator = separatorOf(head);
  return separator === 'blank' && head.includes('\t') ? '\t' : separator;
}

/** The decimal sign is a comma if commas do not separate and no cell is a number with a point. */
function decimalOf(rows: readonly DataRow[], separator: Separator): Decimal {
  if (separator === ',') return '.';
  const has = (mark: Decimal): boolean =>
    rows.some(({ cells }) => cells.some(({ text }) => text.includes(mark) && isNumber(text, mark)));
  return has(',') && !has('.') ? ',' : '.';
}

function refuseBadNames(path: string, names: readonly string[]): void {
  const number = names.findIndex((name) => name === '' || !Number.isNaN(Number(name)));
  if (number >= 0)
    throw badFile(
      path,
      `${path} has no header: field ${number + 1} of its first line is ${JSON.stringify(names[number])}.`,
      'Write the names of the columns into the first line.',
    );
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw badFile(path, `${path} names two columns ${JSON.stringify(twice)}.`, 'Give each its own name.');
}

/**
 * The index of a column. `option` is the name of the option that names the column. Errors: BAD_ARGUMENT,
 * which lists the existing names.
 */
export function columnOf({ path, names }: DataTable, name: string, option: string): number {
  const column = names.indexOf(name);
  if (column >= 0) return column;
  const shown = names.length > 12 ? [...names.slice(0, 12), '…'] : names;
  throw new ThermolinkError('BAD_ARGUMENT', `\`${option}\`: ${path} has no column ${JSON.stringify(name)}.`, {
    hint: `Its columns are ${shown.join(', ')}.`,
    data: { path, name },
  });
}

/**
 * Columns of numbers as a matrix; each row of the table is a row. Errors: BAD_MATRIX with line and column for
 * a cell that is empty or is not a finite number.
 */
export function numbersOf({ path, names, rows, decimal }: DataTable, columns: readonly number[]): Matrix {
  const out = matrix(rows.length, columns.length);
  for (const [i, { line, cells }] of rows.entries())
    for (const [j, column] of columns.entries()) {
      const { text } = cells[column];
      const value = numberOf(text, decimal);
      if (!Number.isFinite(value)) {
        const { what, hint } = cellFault(text, decimal);
        throw new ThermolinkError('BAD_MATRIX', `${path}, line ${line}, column ${names[column]}: ${what}.`, {
          hint: text === '' || /^na$/i.test(text) ? 'Leave out rows in which a value is missing.' : hint,
          data: { path, line, column: names[column] },
        });
      }
      out.data[i * columns.length + j] = value;
    }
  return out;
}

/** The texts of a column, without quotes. */
export function textsOf({ rows }: DataTable, column: number): string[] {
  return rows.map(({ cells }) => cells[column].text);
}
