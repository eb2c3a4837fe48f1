import type { ThermolinkError } from '../errors.js';
import {
  type Cell,
  type Decimal,
  isNumber,
  type Separator,
  separatorOf,
  splitCells,
  thousandsOnly,
} from './text-cells.js';

/** A line of a file that is neither blank nor a comment alone. `line` counts from 1. */
export interface TextLine {
  readonly line: number;
  readonly text: string;
}

/** How a text file writes its table. */
export interface Dialect {
  readonly separator: Separator;
  readonly decimal: Decimal;
  /** Whether the first line names the columns. */
  readonly hasHeader: boolean;
  /** Whether the first cell of each row names the row. */
  readonly hasIndex: boolean;
}

/** What is wrong with a line of the sample; the reader adds the file. */
export type Refuse = (line: TextLine, what: string, hint: string) => ThermolinkError;

/** Names that spreadsheets and libraries give to a column of row names. */
const INDEX_NAME = /^(?:index|idx|id|row|unnamed: 0)$/i;
/** A name begins with a letter or an underscore, so a number with a typing error is none. */
const NAME = /^[\p{L}_]/u;
const NOT_A_NAME = /^(?:nan|inf|infinity)$/i;

const isName = ({ text, isQuoted }: Cell): boolean =>
  NAME.test(text) && !NOT_A_NAME.test(text) && (isQuoted || !/[,;]/.test(text));

/**
 * Recognises how a table is written, from its first lines. Candidates are tried from the most usual to the
 * rarest, and the first one under which every line of the sample is a row of numbers is taken. If none is,
 * the nearest one is returned, so that reading ends in an error at the first cell that does not fit.
 *
 * Errors: those of `refuse`, where a comma may mean thousands or decimals.
 */
export function recogniseDialect(lines: readonly TextLine[], refuse: Refuse): Dialect {
  const candidates = candidatesFor(lines);
  for (const [separator, decimal] of candidates) {
    const rows = lines.map(({ text }) => splitCells(text, separator));
    const layout = layoutOf(rows, decimal);
    if (layout === undefined) continue;
    if (decimal === ',') refuseThousands(lines, rows, refuse);
    if (decimal === ',' && separator === 'blank') refuseCountedColumn(lines, rows, layout, refuse);
    return { separator, decimal, ...layout };
  }
  return nearestDialect(lines, candidates);
}

type Candidate = readonly [separator: Separator, decimal: Decimal];

function candidatesFor(lines: readonly TextLine[]): readonly Candidate[] {
  const separators = new Set(lines.map(({ text }) => separatorOf(text)));
  if (separators.has(';'))
    return [
      [';', '.'],
      [';', ','],
    ];
  // A comma separates unless it stands inside quotes, or every other reading fails.
  if (separators.has(','))
    return [
      [',', '.'],
      [',', ','],
      ['blank', ','],
    ];
  return [
    ['blank', '.'],
    ['blank', ','],
  ];
}

type Layout = Pick<Dialect, 'hasHeader' | 'hasIndex'>;
type Row = readonly Cell[];

/** Where the numbers of a table stand, or nothing if some cell among them is no number. */
function layoutOf(rows: readonly Row[], decimal: Decimal): Layout | undefined {
  const [first, ...body] = rows;
  const areNumbers = (table: readonly Row[], from: number, cellCount: number): boolean =>
    table.every(
      (row) => row.length === cellCount && row.slice(from).every(({ text }) => isNumber(text, decimal)),
    );
  if (isQuotedHeader(first, body) && areNumbers(body, 0, first.length))
    return { hasHeader: true, hasIndex: false };
  if (areNumbers(rows, 0, first.length)) return { hasHeader: false, hasIndex: false };
  if (first.length > 1 && rows.every((row) => isName(row[0])) && areNumbers(rows, 1, first.length))
    return { hasHeader: false, hasIndex: true };
  if (body.length === 0) return undefined;
  const cellCount = body[0].length;
  if (first.length === cellCount && first.every(isName) && !isIndexed(first, body))
    return areNumbers(body, 0, cellCount) ? { hasHeader: true, hasIndex: false } : undefined;
  if (cellCount > 1 && isIndexed(first, body) && areNumbers(body, 1, cellCount))
    return { hasHeader: true, hasIndex: true };
  return undefined;
}

/** Whether the first line alone is in quotes: it names columns, even by digits. */
function isQuotedHeader(first: Row, body: readonly Row[]): boolean {
  return (
    body.length > 0 &&
    first.every(({ isQuoted }) => isQuoted) &&
    body.every((row) => row.length === first.length && row.every(({ isQuoted }) => !isQuoted))
  );
}

/**
 * Whether the first column names rows: the header has no name for it, or it holds names, or it counts rows
 * and has a usual name for such a column.
 */
function isIndexed(first: Row, body: readonly Row[]): boolean {
  const areCounted = isCount(body.map((row) => row[0].text));
  if (first.length === body[0].length - 1) {
    // One name above two cells could also be one number with a decimal comma.
    const areNamed = body.every((row) => isName(row[0]) || row[0].isQuoted);
    return (
      (areNamed || (areCounted && first.length > 1)) && first.every((cell) => isName(cell) || cell.isQuoted)
    );
  }
  if (first.length !== body[0].length) return false;
  if (first[0].text === '') return first.slice(1).every(({ text }) => text !== '');
  if (!first.every(isName)) return false;
  if (body.every((row) => isName(row[0]))) return true;
  return areCounted && INDEX_NAME.test(first[0].text);
}

/** 0, 1, 2 … or 1, 2, 3 … */
function isCount(texts: readonly string[]): boolean {
  const start = Number(texts[0]);
  return (start === 0 || start === 1) && texts.every((text, i) => text === String(start + i));
}

/** Refuses a table in which every comma could separate thousands: 1,234 is 1.234 or 1234. */
function refuseThousands(lines: readonly TextLine[], rows: readonly Row[], refuse: Refuse): void {
  const withComma = (row: Row): Row => row.filter(({ text }) => text.includes(','));
  if (!rows.flatMap(withComma).every(({ text }) => thousandsOnly(text))) return;
  const at = rows.findIndex((row) => withComma(row).length > 0);
  if (at < 0) return;
  const { text } = withComma(rows[at])[0];
  throw refuse(
    lines[at],
    `"${text}" is ${text.replace(/,/g, '')} with a thousands separator, or ${text.replace(',', '.')} with a decimal comma; nothing in the file says which`,
    `Write ${text.replace(/,/g, '')} or ${text.replace(',', '.')}.`,
  );
}

/** Refuses one column of 1,5 then 2,7 …: decimal commas, or numbered rows whose column has no name. */
function refuseCountedColumn(
  lines: readonly TextLine[],
  rows: readonly Row[],
  { hasHeader }: Layout,
  refuse: Refuse,
): void {
  const column = (hasHeader ? rows.slice(1) : rows).map(([cell]) => cell.text);
  const parts = column.map((text) => text.split(','));
  if (!hasHeader || rows.some((row) => row.length > 1) || !isCount(parts.map(([whole]) => whole))) return;
  if (parts.some((part) => part.length < 2)) return;
  throw refuse(
    lines[1],
    `"${column[0]}" is row ${parts[0][0]} with the number ${parts[0][1]}, or one number with a decimal comma; nothing in the file says which`,
    'Write decimals with a point, or give the column of row names a name.',
  );
}

/**
 * The candidate under which most lines are rows of numbers, among those with the separator of the first line
 * that has several cells. Its header is passed over if lines below it are rows of numbers.
 */
function nearestDialect(lines: readonly TextLine[], candidates: readonly Candidate[]): Dialect {
  const body = lines.length > 1 ? lines.slice(1) : lines;
  const isNamed = splitCells(lines[0].text, separatorOf(lines[0].text)).every(isName);
  const used = (isNamed ? body : lines)
    .map(({ text }) => separatorOf(text))
    .find((found) => found !== 'blank');
  let nearest: Dialect | undefined;
  let mostRows = -1;
  for (const [separator, decimal] of candidates) {
    if (used !== undefined && separator !== used) continue;
    const rows = lines.map(({ text }) => splitCells(text, separator));
    const isRow = (row: Row): boolean => row.every(({ text }) => isNumber(text, decimal));
    const rowCount = rows.filter(isRow).length;
    if (rowCount <= mostRows) continue;
    mostRows = rowCount;
    nearest = { separator, decimal, hasHeader: rowCount > 0 && rows[0].every(isName), hasIndex: false };
  }
  return nearest ?? { separator: used ?? 'blank', decimal: '.', hasHeader: false, hasIndex: false };
}
