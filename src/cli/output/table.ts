import { columnCount, printable } from './text-width.js';

export interface TableOptions {
  /** Titles of the columns. */
  readonly header?: readonly string[];
  /** Per column; left by default. Numbers read best to the right. */
  readonly align?: readonly ('left' | 'right')[];
  /** Text before every line. Default two blanks. */
  readonly indent?: string;
}

/**
 * Rows as lines of aligned columns, two blanks apart, each line ended by a line feed and without blanks at its end.
 * Rows may differ in length. Cells are made printable (one line, no control characters).
 */
export function formatTable(
  rows: readonly (readonly string[])[],
  { header, align = [], indent = '  ' }: TableOptions = {},
): string {
  const cells = (header === undefined ? rows : [header, ...rows]).map((row) => row.map(printable));
  const widths: number[] = [];
  for (const row of cells)
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, columnCount(cell));
  const lines = cells.map((row) => row.map((cell, column) => pad(cell, widths[column], align[column])));
  if (header !== undefined)
    lines.splice(
      1,
      0,
      widths.map((width) => '─'.repeat(width)),
    );
  return lines.map((line) => `${(indent + line.join('  ')).trimEnd()}\n`).join('');
}

function pad(cell: string, width: number, align: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(width - columnCount(cell));
  return align === 'right' ? blanks + cell : cell + blanks;
}
