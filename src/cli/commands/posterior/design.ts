import { ThermolinkError } from '../../../errors.js';
import { columnOf, type DataTable, numbersOf, readDataTable } from '../../../files/read-data-table.js';
import { type Matrix, matrix } from '../../../linalg/matrix.js';

/** Shift and divisor of a column. */
export interface ColumnScale {
  readonly name: string;
  readonly mean: number;
  readonly sd: number;
}

/** The columns that explain a target. */
export interface Design {
  readonly table: DataTable;
  /** The column of the target in the table. */
  readonly target: number;
  /** m×N; the first column is 1 with an intercept. */
  readonly inputs: Matrix;
  /** The names of the N columns. */
  readonly names: readonly string[];
  /** Shifts and divisors of the columns after the intercept. */
  readonly scales: readonly ColumnScale[];
}

/** The name of the constant column. */
export const INTERCEPT = '(intercept)';

/** How a design is read. */
interface DesignOptions {
  readonly data: string;
  readonly target: string;
  readonly features: string | undefined;
  /** Whether columns are brought to mean 0 and standard deviation 1. */
  readonly standardize: boolean;
}

/**
 * Reads the table and makes the design, with a constant column first. Errors: those of `readDataTable` and
 * `numbersOf`; BAD_ARGUMENT for names that are not columns; BAD_MATRIX for a column that never changes.
 */
export async function readDesign({ data, target, features, standardize }: DesignOptions): Promise<Design> {
  const table = await readDataTable(data);
  const targetColumn = columnOf(table, target, 'target');
  const columns =
    features === undefined
      ? table.names.map((_, index) => index).filter((index) => index !== targetColumn)
      : features.split(',').map((name) => columnOf(table, name.trim(), 'features'));
  if (columns.length === 0 || columns.includes(targetColumn))
    throw new ThermolinkError('BAD_ARGUMENT', `Nothing but ${target} itself would explain ${target}.`, {
      hint: 'Name other columns by `features`.',
    });
  const numbers = numbersOf(table, columns);
  const scales = columns.map((column, j) => scaleOf(table.names[column], columnAt(numbers, j), standardize));
  const { rows } = numbers;
  const inputs = matrix(rows, columns.length + 1);
  for (let i = 0; i < rows; i++) {
    inputs.data[i * inputs.columns] = 1;
    for (const [j, { mean, sd }] of scales.entries())
      inputs.data[i * inputs.columns + j + 1] = (numbers.data[i * columns.length + j] - mean) / sd;
  }
  return {
    table,
    target: targetColumn,
    inputs,
    names: [INTERCEPT, ...scales.map(({ name }) => name)],
    scales,
  };
}

/**
 * Mean and standard deviation (of the m values themselves) of a column; 0 and 1 if the column is not scaled.
 */
export function scaleOf(name: string, values: Float64Array, standardize: boolean): ColumnScale {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  if (!(sd > 1e-12 * Math.abs(mean)))
    throw new ThermolinkError('BAD_MATRIX', `Column ${name} has the same value in every row.`, {
      hint: 'Leave it out: the intercept says the same.',
      data: { column: name },
    });
  return standardize ? { name, mean, sd } : { name, mean: 0, sd: 1 };
}

function columnAt({ rows, columns, data }: Matrix, j: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => data[i * columns + j]);
}
