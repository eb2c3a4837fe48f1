import { createHash } from 'node:crypto';
import { badArgument, checkSeed } from '../../argument-checks.js';
import { ThermolinkError } from '../../errors.js';
import { columnOf, type DataTable, parseDataTable } from '../../files/read-data-table.js';
import { numberOf } from '../../files/text-cells.js';
import { RANDOM_STREAM, randomPermutation, randomSource } from '../../linalg/random.js';
import { counted } from '../../number-text.js';
import type { Dataset, ExampleSet, TableSource } from './dataset.js';
import { readDataFile } from './read-file.js';
import { type ColumnEncoding, inputCountOf, type TableEncoding } from './table-encoding.js';

/**
 * Largest number of different texts in a column. A column with more probably holds names or free text, and is
 * refused.
 */
const TEXTS_MAX = 64;
/** Largest number of classes: a label is one byte. */
const CLASSES_MAX = 256;
/** Share of the rows that are test rows. */
const TEST_SHARE = 0.2;

/**
 * Loads a table. One fifth of its rows are test rows; `splitSeed` selects them.
 *
 * Errors: BAD_ARGUMENT for a label that is not a column; BAD_FILE; BAD_DATASET with file, line and column for
 * a cell that is empty, is not a number in a column of numbers, or is unknown to a given `encoding`;
 * BAD_DATASET for a column of too many texts, for too many classes and for a single class.
 */
export function loadTable({ file, label, splitSeed = 0, encoding: given }: TableSource): Dataset {
  if (typeof file !== 'string') throw badArgument('source.file', file, 'a path');
  if (typeof label !== 'string') throw badArgument('source.label', label, 'the name of a column');
  checkSeed('source.splitSeed', splitSeed);
  const bytes = readDataFile(file);
  const table = parseDataTable(file, bytes);
  const labelColumn = columnOf(table, label, 'label');
  const random = randomSource({ seed: splitSeed, stream: RANDOM_STREAM.tableSplit });
  const order = [...randomPermutation(table.rows.length, random)];
  const testCount = Math.max(1, Math.round(TEST_SHARE * order.length));
  if (order.length < 2) throw unusable(file, 'it has one row; training and test need at least one row each');
  const [test, train] = [order.slice(0, testCount), order.slice(testCount)];
  const encoding = given ?? encodingOf(table, labelColumn, train);
  const read = new TableReader(table, encoding);
  const digest = createHash('sha256')
    .update(JSON.stringify({ label, splitSeed, encoding }))
    .update(bytes)
    .digest('hex');
  const set = (rows: readonly number[]): ExampleSet => read.examples(rows);
  return {
    name: file,
    rows: 1,
    columns: inputCountOf(encoding),
    classes: encoding.label.classes.length,
    train: set(train),
    test: set(test),
    digest,
    encoding,
  };
}

/** Turns rows into examples. */
class TableReader {
  readonly #table: DataTable;
  readonly #encoding: TableEncoding;
  readonly #columns: readonly number[];
  readonly #label: number;

  constructor(table: DataTable, encoding: TableEncoding) {
    this.#table = table;
    this.#encoding = encoding;
    this.#columns = encoding.columns.map(({ name }) => columnOf(table, name, 'encoding'));
    this.#label = columnOf(table, encoding.label.name, 'label');
  }

  examples(rows: readonly number[]): ExampleSet {
    const width = inputCountOf(this.#encoding);
    const inputs = new Float32Array(rows.length * width);
    for (const [example, row] of rows.entries())
      this.#encode(row, inputs.subarray(example * width, (example + 1) * width));
    const labels = Uint8Array.from(rows, (row) =>
      this.#indexOf(row, this.#label, this.#encoding.label.classes),
    );
    return { count: rows.length, inputs, labels };
  }

  #encode(row: number, inputs: Float32Array): void {
    let at = 0;
    for (const [index, column] of this.#encoding.columns.entries()) {
      const place = this.#columns[index];
      if (column.kind === 'number')
        inputs[at++] = (numberAt(this.#table, row, place) - column.mean) / column.sd;
      else {
        inputs[at + this.#indexOf(row, place, column.texts)] = 1;
        at += column.texts.length;
      }
    }
  }

  #indexOf(row: number, column: number, texts: readonly string[]): number {
    const text = textAt(this.#table, row, column);
    const index = texts.indexOf(text);
    if (index >= 0) return index;
    throw cellError(
      this.#table,
      row,
      column,
      `${JSON.stringify(text)} is not one of ${texts.slice(0, 12).join(', ')}`,
      'The network was trained on these texts alone.',
    );
  }
}

function encodingOf(table: DataTable, labelColumn: number, train: readonly number[]): TableEncoding {
  const all = table.rows.map((_, row) => row);
  const classes = distinct(all.map((row) => textAt(table, row, labelColumn)));
  const name = table.names[labelColumn];
  if (classes.length < 2)
    throw unusable(table.path, `every ${name} is ${classes[0]}; training needs at least two classes`);
  if (classes.length > CLASSES_MAX)
    throw unusable(
      table.path,
      `${name} has ${counted(classes.length, 'different value')}, more than the ${CLASSES_MAX} classes that a label can tell apart`,
    );
  const columns = table.names.flatMap((_, column): ColumnEncoding[] => {
    if (column === labelColumn) return [];
    const encoding = columnEncoding(table, column, all, train);
    return encoding === undefined ? [] : [encoding];
  });
  if (columns.length === 0) throw unusable(table.path, `it has no column beside ${name} whose values differ`);
  return { columns, label: { name, classes } };
}

/** Undefined for a column with a single value, because it carries no information. */
function columnEncoding(
  table: DataTable,
  column: number,
  all: readonly number[],
  train: readonly number[],
): ColumnEncoding | undefined {
  const name = table.names[column];
  const texts = all.map((row) => textAt(table, row, column));
  const areNumbers = texts.filter((text) => Number.isFinite(numberOf(text, table.decimal))).length;
  // If most cells are numbers, the column is numeric, and any other cell is a mistake.
  if (areNumbers > texts.length / 2) {
    const values = train.map((row) => numberAt(table, row, column));
    for (const row of all) numberAt(table, row, column);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    return sd > 0 ? { kind: 'number', name, mean, sd } : undefined;
  }
  const kinds = distinct(texts);
  if (kinds.length > TEXTS_MAX)
    throw unusable(
      table.path,
      `its column ${name} holds ${counted(kinds.length, 'different text')}, more than the ${TEXTS_MAX} that become inputs`,
      'Leave the column out, or write its texts as a few groups.',
    );
  return kinds.length > 1 ? { kind: 'text', name, texts: kinds } : undefined;
}

/** The different texts, sorted as numbers if all of them are numbers, otherwise alphabetically. */
function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1));
}

function textAt(table: DataTable, row: number, column: number): string {
  const { text } = table.rows[row].cells[column];
  if (text !== '' && !/^(?:na|nan|null|\?)$/i.test(text)) return text;
  throw cellError(
    table,
    row,
    column,
    text === '' ? 'the cell is empty' : `${JSON.stringify(text)} stands for a missing value`,
    'Fill in the value, or leave out the row.',
  );
}

function numberAt(table: DataTable, row: number, column: number): number {
  const text = textAt(table, row, column);
  const value = numberOf(text, table.decimal);
  if (Number.isFinite(value)) return value;
  throw cellError(
    table,
    row,
    column,
    `${JSON.stringify(text)} is not a number, but most cells of this column are numbers`,
    'Write a number, or write all values of the column as texts.',
  );
}

function cellError(
  { path, rows, names }: DataTable,
  row: number,
  column: number,
  what: string,
  hint: string,
): ThermolinkError {
  const { line } = rows[row];
  return new ThermolinkError('BAD_DATASET', `${path}, line ${line}, column ${names[column]}: ${what}.`, {
    hint,
    data: { file: path, line, column: names[column] },
  });
}

function unusable(file: string, what: string, hint?: string): ThermolinkError {
  return new ThermolinkError('BAD_DATASET', `${file} is not a usable data set: ${what}.`, {
    ...(hint === undefined ? {} : { hint }),
    data: { file },
  });
}
