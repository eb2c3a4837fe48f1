/** How one column of a table becomes inputs of a network. */
export type ColumnEncoding =
  | {
      /** (value − mean) / sd, one input. */
      readonly kind: 'number';
      readonly name: string;
      /** Mean over the training rows, in the unit of the column. */
      readonly mean: number;
      /** Standard deviation over the training rows, in the unit of the column; above 0. */
      readonly sd: number;
    }
  | {
      /** One input for each text: 1 if the cell has this text, otherwise 0. */
      readonly kind: 'text';
      readonly name: string;
      readonly texts: readonly string[];
    };

/** How the rows of a table become examples: its columns in order, and its labels. */
export interface TableEncoding {
  readonly columns: readonly ColumnEncoding[];
  /** The column with the labels, and the text of each class. */
  readonly label: { readonly name: string; readonly classes: readonly string[] };
}

/** Number of inputs that all columns give together. */
export function inputCountOf({ columns }: TableEncoding): number {
  return columns.reduce((sum, column) => sum + (column.kind === 'number' ? 1 : column.texts.length), 0);
}

/** Whether a value, for example JSON from a file, is an encoding. */
export function isTableEncoding(value: unknown): value is TableEncoding {
  if (!isObject(value)) return false;
  const { columns, label } = value;
  return (
    Array.isArray(columns) &&
    columns.length > 0 &&
    columns.every(isColumn) &&
    isObject(label) &&
    typeof label['name'] === 'string' &&
    areTexts(label['classes'])
  );
}

function isColumn(value: unknown): value is ColumnEncoding {
  if (!isObject(value) || typeof value['name'] !== 'string') return false;
  if (value['kind'] === 'text') return areTexts(value['texts']);
  return value['kind'] === 'number' && Number.isFinite(value['mean']) && Number(value['sd']) > 0;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
const areTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((text) => typeof text === 'string');
