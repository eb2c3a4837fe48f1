import type { ThermolinkError } from '../errors.js';
import {
  blankThousands,
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
  /** Whether each row ends in a separator that has nothing behind it. */
  readonly hasTrailing: boolean;
}

/** Makes the error for a defect of a line of the sample. The error also names the file. */
export type Refuse = (line: TextLine, what: string, hint: string) => ThermolinkError;

/** Names that spreadsheets and libraries give to a column of row names. */
const INDEX_NAME = /^(?:index|idx|id|row|unnamed: 0)$/i;
/** A name begins with a letter or an underscore, so a number with a typing error is not a name. */
const NAME = /^[\p{L}_]/u;
/** Words that stand for a value: one that is missing, or a truth value. */
const VALUE_WORDS = /^(?:nan|inf|infinity|null|nil|none|missing|nat|n\/a|true|false|wahr|falsch|vrai|faux)$/i;
/** Na is left out, because it may mean sodium. */
const NOT_AVAILABLE = /^(?:NA|na)$/;

const isName = ({ text, isQuoted }: Cell): boolean =>
  NAME.test(text) && !VALUE_WORDS.test(text) && !NOT_AVAILABLE.test(text) && (isQuoted || !/[,;]/.test(text));

/**
 * Recognises how a table is written, from its first lines. Candidates are tried from the most usual to the
 * rarest. The first one with which every line of the sample is a row of numbers is taken. If no dialect fits,
 * the nearest one is returned, and reading ends with an error at the first cell that does not fit. If the
 * file itself names a separator, `given`, no other is tried.
 *
 * Errors: those of `refuse` if a comma, a point or a blank may be a thousands separator.
 */
export function recogniseDialect(
  lines: readonly TextLine[],
  refuse: Refuse,
  given: Separator | undefined,
): Dialect {
  const candidates = candidatesFor(lines, given);
  for (const [separator, decimal] of candidates) {
    const cells = lines.map(({ text }) => splitCells(text, separator));
    const hasTrailing = endInSeparator(cells);
    const rows = hasTrailing ? cells.map(withoutEmptyEnd) : cells;
    const layout = layoutOf(rows, decimal);
    if (layout === undefined || (separator === 'blank' && haveBareComma(rows))) continue;
    if (separator === ',' && given === undefined && hasLeadingZeros(lines, rows, refuse)) continue;
    // In cells between semicolons, a point may be the thousands separator of a German spreadsheet.
    if (decimal === ',' || separator === ';') refuseThousands(lines, rows, decimal, refuse);
    if (separator === 'blank') refuseBlankThousands(lines, decimal, refuse);
    if (separator === 'blank') refuseIndexOrThousands(lines, rows, layout, refuse);
    if (decimal === ',' && separator === 'blank') refuseCountedColumn(lines, rows, layout, refuse);
    return { separator, decimal, hasTrailing, ...layout };
  }
  return nearestDialect(lines, candidates);
}

type Candidate = readonly [separator: Separator, decimal: Decimal];

function candidatesFor(lines: readonly TextLine[], given: Separator | undefined): readonly Candidate[] {
  if (given !== undefined)
    return [
      [given, '.'],
      [given, ','],
    ];
  const separators = new Set(lines.map(({ text }) => separatorOf(text)));
  if (separators.has(';'))
    return [
      [';', '.'],
      [';', ','],
    ];
  // Commas are tried as separators first. They are tried as decimal commas after that: inside quotes, and
  // between cells that blanks separate.
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

const endsEmpty = (row: Row): boolean => row.length > 1 && row[row.length - 1].text === '';
const withoutEmptyEnd = (row: Row): Row => (endsEmpty(row) ? row.slice(0, -1) : row);

/**
 * Whether a line is only `,5` or only `5,`. Its comma probably separates an empty cell and is no decimal
 * comma.
 */
function haveBareComma(rows: readonly Row[]): boolean {
  return rows.some(([{ text, isQuoted }, ...rest]) => rest.length === 0 && !isQuoted && /^,|,$/.test(text));
}

/** Whether every row ends in one separator too many. The line of names above may lack it. */
function endInSeparator([first, ...body]: readonly Row[]): boolean {
  return body.length > 0 && body.every(endsEmpty) && (endsEmpty(first) || first.every(isName));
}

/** Returns where the numbers of a table stand, or undefined if one of these cells is not a number. */
function layoutOf(rows: readonly Row[], decimal: Decimal): Layout | undefined {
  const [first, ...body] = rows;
  const areNumbers = (table: readonly Row[], from: number, cellCount: number): boolean =>
    table.every(
      (row) => row.length === cellCount && row.slice(from).every(({ text }) => isNumber(text, decimal)),
    );
  if (isQuotedHeader(first, body) && areNumbers(body, 0, first.length))
    return { hasHeader: true, hasIndex: false };
  if (first.length > 1 && isQuotedIndex(rows) && areNumbers(rows, 1, first.length))
    return { hasHeader: false, hasIndex: true };
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

/** Whether the first line alone is in quotes. It then names columns, even if the names are digits. */
function isQuotedHeader(first: Row, body: readonly Row[]): boolean {
  return (
    body.length > 0 &&
    first.every(({ isQuoted }) => isQuoted) &&
    body.every((row) => row.length === first.length && row.every(({ isQuoted }) => !isQuoted))
  );
}

/** Whether the first column alone is in quotes, and counts up. R writes row names so. */
function isQuotedIndex(rows: readonly Row[]): boolean {
  return (
    rows.length > 1 &&
    rows.every(([name, ...rest]) => name.isQuoted && rest.every(({ isQuoted }) => !isQuoted)) &&
    isCount(rows.map(([name]) => name.text))
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
  const areTitled = first.slice(1).every((cell) => isName(cell) || cell.isQuoted);
  const areNamed = body.every(([cell]) => isName(cell) || (cell.isQuoted && cell.text !== ''));
  const titlesCount = isCount(first.slice(1).map(({ text }) => text));
  if (first[0].text === '') {
    if (body.some(([cell]) => cell.text === '') || first.slice(1).some(({ text }) => text === ''))
      return false;
    // An empty corner cell may also be a missing entry of a matrix. It counts as a header only if the other
    // cells of its row or column are names, or if both count up.
    return areTitled || areNamed || (titlesCount && areCounted && body.length + first.length > 3);
  }
  if (!isName(first[0])) return false;
  const isNamedSo = areCounted && INDEX_NAME.test(first[0].text);
  if (!first.every(isName)) return isNamedSo && titlesCount;
  return isNamedSo || body.every((row) => isName(row[0]));
}

/** 0, 1, 2 … or 1, 2, 3 … */
function isCount(texts: readonly string[]): boolean {
  const start = Number(texts[0]);
  return (start === 0 || start === 1) && texts.every((text, i) => text === String(start + i));
}

/**
 * Whether commas must be decimal commas, because digits after a comma begin with 0: 1,05 is not a row of 1
 * and 5. Refuses the line if decimal commas give no table either.
 */
function hasLeadingZeros(lines: readonly TextLine[], rows: readonly Row[], refuse: Refuse): boolean {
  const isZeroLed = ({ text, isQuoted }: Cell): boolean => !isQuoted && /^0\d/.test(text);
  const at = rows.findIndex((row) => row.slice(1).some(isZeroLed));
  if (at < 0) return false;
  const columns = lines.map(({ text }) => splitCells(text, 'blank'));
  if (layoutOf(columns, ',') !== undefined) return true;
  const found = rows[at].slice(1).find(isZeroLed)?.text;
  throw refuse(
    lines[at],
    `"${found}" is a number that begins with 0, or the digits after a decimal comma; nothing in the file says which`,
    'Write decimals with a point, and whole numbers without a 0 before them.',
  );
}

/** Refuses a table in which every decimal sign could separate thousands: 1,234 is 1.234 or 1234. */
function refuseThousands(
  lines: readonly TextLine[],
  rows: readonly Row[],
  decimal: Decimal,
  refuse: Refuse,
): void {
  const withSign = (row: Row): Row => row.filter(({ text }) => text.includes(decimal) && !NAME.test(text));
  const at = rows.findIndex((row) => withSign(row).length > 0);
  if (at < 0 || !rows.flatMap(withSign).every(({ text }) => thousandsOnly(text, decimal))) return;
  const { text } = withSign(rows[at])[0];
  const whole = text.replace(/[.,]/g, '');
  const fraction = decimal === ',' ? text.replace(',', '.') : `${text}0`;
  const sign = decimal === ',' ? 'comma' : 'point';
  throw refuse(
    lines[at],
    `"${text}" is ${whole} with a thousands separator, or ${text.replace(',', '.')} with a decimal ${sign}; nothing in the file says which`,
    `Write ${whole} or ${fraction}.`,
  );
}

/** Refuses 1 234 between tabs, and lines such as 1 234,5: one number, or two. */
function refuseBlankThousands(lines: readonly TextLine[], decimal: Decimal, refuse: Refuse): void {
  const isBetweenTabs = ({ text }: TextLine): boolean =>
    text.includes('\t') && text.split('\t').some((part) => blankThousands(part.trim()));
  const areAlone = decimal === ',' && lines.every(({ text }) => blankThousands(text.trim()));
  const at = areAlone ? lines[0] : lines.find(isBetweenTabs);
  if (at === undefined) return;
  throw refuse(
    at,
    'blanks stand between digits, as thousands separators or between numbers; nothing in the file says which',
    'Write numbers without blanks in them, or only tabs between numbers.',
  );
}

/** Refuses rows such as 1 234 5 under two names: row 1 with 234 and 5, or 1234 and 5. */
function refuseIndexOrThousands(
  lines: readonly TextLine[],
  [first, ...body]: readonly Row[],
  { hasHeader, hasIndex }: Layout,
  refuse: Refuse,
): void {
  if (!hasHeader || !hasIndex || first.length !== body[0].length - 1) return;
  const pairs = body.map(([name, value]) => (name.isQuoted ? '' : `${name.text} ${value.text}`));
  if (!pairs.every(blankThousands)) return;
  throw refuse(
    lines[1],
    `"${pairs[0]}" is row ${pairs[0].replace(' ', ' with the number ')}, or one number with a blank between its thousands; nothing in the file says which`,
    'Write numbers without blanks in them, or give the column of row names a name.',
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

/** Whether the first line is a title, or names as many columns as the next line has. */
function isTitle([first, second]: readonly Row[]): boolean {
  return first.every(isName) && (first.length === 1 || first.length === second?.length);
}

/**
 * Returns the candidate under which most lines are rows of numbers. It must have the separator of the first
 * line that has several cells. The dialect has a header if the first line is a title and other lines are rows
 * of numbers.
 */
function nearestDialect(lines: readonly TextLine[], candidates: readonly Candidate[]): Dialect {
  const body = lines.length > 1 ? lines.slice(1) : lines;
  const isNamed = splitCells(lines[0].text, separatorOf(lines[0].text)).every(isName);
  const used = (isNamed ? body : lines)
    .map(({ text }) => separatorOf(text))
    .find((found) => found !== 'blank');
  const bare = { hasIndex: false, hasTrailing: false };
  let nearest: Dialect | undefined;
  let mostRows = -1;
  for (const [separator, decimal] of candidates) {
    if (used !== undefined && separator !== used) continue;
    const rows = lines.map(({ text }) => splitCells(text, separator));
    const isRow = (row: Row): boolean => row.every(({ text }) => isNumber(text, decimal));
    const rowCount = rows.filter(isRow).length;
    if (rowCount <= mostRows) continue;
    mostRows = rowCount;
    nearest = { separator, decimal, hasHeader: rowCount > 0 && isTitle(rows), ...bare };
  }
  return nearest ?? { separator: used ?? 'blank', decimal: '.', hasHeader: false, ...bare };
}
