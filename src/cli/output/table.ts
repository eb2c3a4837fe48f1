import { counted } from '../../number-text.js';
import { columnCount, fitColumns, printable, wrapColumns } from './text-width.js';

export type Align = 'left' | 'right' | 'point';

export interface TableOptions {
  /** Titles of the columns. */
  readonly header?: readonly string[];
  /** For each column; left by default. `point` puts decimal points below each other. */
  readonly align?: readonly Align[];
  /**
   * No line is wider than this. Default: the width of the terminal, or no limit if the output is not a
   * terminal.
   */
  readonly width?: number;
}

const INDENT = '  ';
const GAP = '  ';
/**
 * A column of text is never narrower than this, nor than its longest word. Longer words than WORD_MAX are
 * paths, and may break.
 */
const WRAPPED_MIN = 16;
const WORD_MAX = 32;

/**
 * Rows as lines of aligned columns, two blanks apart. Each line ends with a line feed and has no blanks
 * before it. Rows may differ in length. Cells are made printable: one line, no control characters.
 *
 * If the table is wider than the terminal, its columns of text are wrapped. Columns that still have no room
 * are left out, and a last line says how many. No number is ever cut.
 */
export function formatTable(rows: readonly (readonly string[])[], options: TableOptions = {}): string {
  const { header, align = [], width = process.stdout.columns || Number.POSITIVE_INFINITY } = options;
  const cells = alignedPoints(
    (header === undefined ? rows : [header, ...rows]).map((row) => row.map(printable)),
    align,
    header === undefined ? 0 : 1,
  );
  const natural = columnWidths(cells);
  const { widths, leftOut } = fitted(natural, leastWidths(cells, align, natural), width);
  const lines = cells.flatMap((row) => rowLines(row, widths, align));
  if (header !== undefined)
    lines.splice(rowLines(cells[0], widths, align).length, 0, joined(widths.map((size) => '─'.repeat(size))));
  if (leftOut > 0)
    lines.push(fitColumns(`${INDENT}… ${counted(leftOut, 'column')} more: widen the terminal`, width));
  return lines.map((line) => `${line}\n`).join('');
}

function columnWidths(cells: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of cells)
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, columnCount(cell));
  return widths;
}

/** The least width of each column. Numbers keep theirs; text may be wrapped. */
function leastWidths(
  cells: readonly (readonly string[])[],
  align: readonly Align[],
  natural: readonly number[],
): number[] {
  return natural.map((size, column) => {
    if ((align[column] ?? 'left') !== 'left') return size;
    const words = cells.flatMap((row) => (row[column] ?? '').split(' ').map(columnCount));
    return Math.min(size, Math.max(WRAPPED_MIN, ...words.filter((count) => count <= WORD_MAX)));
  });
}

/** The widths of the columns that fit into `available`. Text is wrapped first; then columns are left out. */
function fitted(
  natural: readonly number[],
  least: readonly number[],
  available: number,
): { readonly widths: number[]; readonly leftOut: number } {
  const widths = [...natural];
  const excess = (): number =>
    INDENT.length + widths.reduce((sum, size) => sum + size + GAP.length, -GAP.length) - available;
  while (excess() > 0) {
    const spare = widths.map((size, column) => (size > least[column] ? size : 0));
    const widest = Math.max(...spare);
    if (widest === 0) break;
    widths[spare.indexOf(widest)]--;
  }
  while (excess() > 0 && widths.length > 1) widths.pop();
  if (excess() > 0) widths[0] = Math.max(1, widths[0] - excess());
  return { widths, leftOut: natural.length - widths.length };
}

/** The lines of one row: several if the text of a cell is wrapped. */
function rowLines(row: readonly string[], widths: readonly number[], align: readonly Align[]): string[] {
  const wrapped = row.slice(0, widths.length).map((cell, column) => wrapColumns(cell, widths[column]));
  const count = Math.max(1, ...wrapped.map((parts) => parts.length));
  return Array.from({ length: count }, (_, line) =>
    joined(wrapped.map((parts, column) => pad(parts[line] ?? '', widths[column], align[column]))),
  );
}

function joined(cells: readonly string[]): string {
  return (INDENT + cells.join(GAP)).trimEnd();
}

function pad(cell: string, width: number, align: Align = 'left'): string {
  const blanks = ' '.repeat(width - columnCount(cell));
  return align === 'left' ? cell + blanks : blanks + cell;
}

/**
 * Pads the cells of `point` columns at their ends. Aligned to the right, their points are then below each
 * other.
 */
function alignedPoints(
  cells: readonly (readonly string[])[],
  align: readonly Align[],
  headerRows: number,
): string[][] {
  const tail = (cell: string): number => /^-?[\d,]+(\..*)?$/.exec(cell)?.[1]?.length ?? 0;
  const tails = align.map((kind, column) =>
    kind === 'point' ? Math.max(0, ...cells.slice(headerRows).map((row) => tail(row[column] ?? ''))) : 0,
  );
  return cells.map((row, i) =>
    row.map((cell, column) =>
      i >= headerRows && (tails[column] ?? 0) > 0 ? cell + ' '.repeat(tails[column] - tail(cell)) : cell,
    ),
  );
}
