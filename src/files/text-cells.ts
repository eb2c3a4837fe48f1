/**
 * The separator of cells. In tables of numbers, blanks and tabs are one kind, `blank`, because files mix
 * them.
 */
export type Separator = ',' | ';' | '\t' | 'blank';
export type Decimal = '.' | ',';

export const SEPARATOR_NAMES: Readonly<Record<Separator, string>> = {
  ',': 'commas',
  ';': 'semicolons',
  '\t': 'tabs',
  blank: 'blanks or tabs',
};

/** One field of a line, without blanks around it and without its quotes. */
export interface Cell {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** Each pattern can match in only one way, so a long wrong number takes linear time. */
const POINT_NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const COMMA_NUMBER = /^[+-]?(?:\d+(?:,\d*)?|,\d+)(?:[eE][+-]?\d+)?$/;
/** Other minus signs, as word processors write them: hyphens, dashes, the mathematical minus. */
const OTHER_MINUS = /[\u2010-\u2015\u2212\ufe63\uff0d]/g;
const NOT_FINITE = /^[+-]?(?:nan|inf|infinity)$/i;
/**
 * The error values of spreadsheets in any language: #DIV/0!, #WERT!, #¿NOMBRE?. A spreadsheet writes them for
 * a value that it could not compute, or that is not available.
 */
const ERROR_CELL = new RegExp(
  [
    '^#(?:[¡¿]?[\\p{Lu}\\d/_]+[!?]',
    '(?:\\p{Lu}/\\p{Lu}|NV|ND|N\\.D\\.|YOK|HIÁNYZIK|NENÍ_K_DISPOZICI|GETTING_DATA)(?![\\p{L}\\d])',
    '(?:[nN]/[aA]|[dD]iv/0!|[nN]ame\\?|[vV]alue!|[rR]ef!|[nN]um!|[nN]ull!|[wW]ert!))',
  ].join('|'),
  'u',
);
/** What a spreadsheet writes for a number that is too wide for its column: at least three #. */
const OVERFLOW_CELL = /^#{3,}(?=\s*(?:[,;\t]|$))/;
const THOUSANDS = /^[+-]?\d{1,3}(?:([,.'’\u00a0\u202f ])\d{3})(?:\1\d{3})*(?:[.,]\d*)?$/;
/** Two tabs in a row, or one tab at an end of the line, show that a cell was left out. */
const EMPTY_TABBED_CELL = /^ *\t|\t *\t|\t *$/;
const QUOTED = /"(?:[^"]|"")*"/g;

/**
 * Returns the line without its comment. A comment starts with `#` at the beginning of the line or after a
 * blank or a tab, outside quotes. The `#` of an error value of a spreadsheet, such as #DIV/0! or #####, does
 * not start a comment.
 */
export function withoutComment(text: string): string {
  let isQuoted = false;
  for (let at = text.search(/["#]/); at >= 0 && at < text.length; at++) {
    if (text[at] === '"') isQuoted = !isQuoted;
    if (text[at] !== '#' || isQuoted) continue;
    const isFree = at === 0 || text[at - 1] === ' ' || text[at - 1] === '\t';
    const rest = text.slice(at);
    if (isFree && !ERROR_CELL.test(rest) && !OVERFLOW_CELL.test(rest)) return text.slice(0, at);
    // Several # in a row belong to the same cell.
    while (text[at + 1] === '#') at++;
  }
  return text;
}

/** Returns the separator of the cells of a line. A line of one cell counts as separated by blanks. */
export function separatorOf(text: string): Separator {
  const bare = text.includes('"') ? text.replace(QUOTED, 'q') : text;
  // The semicolon comes first: if it separates the cells, a comma is a decimal comma.
  if (bare.includes(';')) return ';';
  return bare.includes(',') ? ',' : 'blank';
}

/** The cells of a line, from left to right. */
export function splitCells(text: string, separator: Separator): Cell[] {
  if (text.includes('"')) return splitQuoted(text, separator);
  const parts = separator === 'blank' ? splitBlanks(text) : text.split(separator);
  return parts.map((part) => ({ text: part.trim(), isQuoted: false }));
}

/** The cells of a line without quotes as plain texts: the fast path of a large file. */
export function splitPlain(text: string, separator: Separator): string[] {
  return separator === 'blank' ? splitBlanks(text) : text.split(separator);
}

function splitBlanks(text: string): string[] {
  if (!EMPTY_TABBED_CELL.test(text)) return text.trim().split(/[ \t]+/);
  // The text between two tabs may hold several cells with blanks between them.
  return text.split('\t').flatMap((part) => (part.trim() === '' ? [''] : part.trim().split(/ +/)));
}

function splitQuoted(text: string, separator: Separator): Cell[] {
  const isSeparator = (character: string): boolean =>
    separator === 'blank' ? character === ' ' || character === '\t' : character === separator;
  const cells: Cell[] = [];
  let plain = '';
  let quoted: string | undefined;
  const endCell = (): void => {
    const rest = plain.trim();
    // Text directly before or after the quotes is a mistake. The cell then keeps its quotes, so it does not
    // count as a number.
    if (quoted === undefined) cells.push({ text: rest, isQuoted: false });
    else cells.push({ text: rest === '' ? quoted.trim() : `"${quoted}"${rest}`, isQuoted: true });
    plain = '';
    quoted = undefined;
  };
  const line = separator === 'blank' ? text.trim() : text;
  for (let at = 0; at < line.length; at++) {
    const character = line[at];
    const end =
      character === '"' && quoted === undefined && plain.trim() === '' ? closingQuote(line, at + 1) : -1;
    if (end >= 0) {
      quoted = line.slice(at + 1, end).replaceAll('""', '"');
      at = end;
    } else if (!isSeparator(character)) plain += character;
    else if (separator !== 'blank' || plain.trim() !== '' || quoted !== undefined) endCell();
  }
  endCell();
  return cells;
}

/**
 * Returns the index of the quote that closes a quoted text. The quoted text starts at `from`, after its
 * opening quote. Returns -1 if the line has no closing quote.
 */
function closingQuote(line: string, from: number): number {
  for (let at = line.indexOf('"', from); at >= 0; at = line.indexOf('"', at + 2))
    if (line[at + 1] !== '"') return at;
  return -1;
}

/** Whether the text is a decimal number, written with this decimal sign. */
export function isNumber(text: string, decimal: Decimal): boolean {
  return (decimal === '.' ? POINT_NUMBER : COMMA_NUMBER).test(text);
}

/**
 * Returns the number that a text stands for. Returns NaN if the text is not a number, and ±Infinity if the
 * number is too large for float64.
 */
export function numberOf(text: string, decimal: Decimal): number {
  if (!isNumber(text, decimal)) return Number.NaN;
  return Number(decimal === ',' ? text.replace(',', '.') : text);
}

/**
 * Whether every decimal sign of the text may be a thousands separator: true for 1,234, false for 0,123 and
 * for 1,25.
 */
export function thousandsOnly(text: string, decimal: Decimal): boolean {
  return (decimal === ',' ? /^[+-]?[1-9]\d{0,2}(?:,\d{3})+$/ : /^[+-]?[1-9]\d{0,2}\.\d{3}$/).test(text);
}

/**
 * Finds a number with blanks between its thousands, such as 1 234 in `5 1 234`. Returns the first such number
 * of the line if the line has exactly `surplus` such blanks, otherwise undefined.
 */
export function thousandsIn(text: string, surplus: number): string | undefined {
  const found = text.match(/(?<![\S])[+-]?[1-9]\d{0,2}(?: \d{3})+(?:[.,]\d*)?(?!\S)/g) ?? [];
  const blanks = found.join('').split(' ').length - 1;
  return blanks === surplus ? found[0] : undefined;
}

/** Whether the text may be one number with blanks between its thousands: 1 234 or 1 234,5. */
export function blankThousands(text: string): boolean {
  return /^[+-]?[1-9]\d{0,2}(?: \d{3})+(?:[.,]\d*)?$/.test(text);
}

/** Returns what is wrong with a cell that is not a number, and a hint how to mend it. */
export function cellFault(text: string, decimal: Decimal): { readonly what: string; readonly hint: string } {
  const shown = JSON.stringify(text.length > 24 ? `${text.slice(0, 24)}…` : text);
  if (text === '') return { what: 'it is empty', hint: 'Fill in the number, or remove the extra separator.' };
  if (ERROR_CELL.test(text))
    return {
      what: `${shown} is the error value of a spreadsheet`,
      hint: 'Mend the formula in the spreadsheet and export the file again.',
    };
  if (OVERFLOW_CELL.test(text))
    return {
      what: `${shown} is a number that was too wide for its column in the spreadsheet`,
      hint: 'Widen the column and export the file again. If this is a comment, write a text after its #.',
    };
  if (NOT_FINITE.test(text))
    return {
      what: `${shown} is not finite`,
      hint: 'Replace it: a linear system needs finite numbers.',
    };
  if (isNumber(text, decimal))
    return { what: `${shown} is too large for a float64`, hint: 'Scale the numbers down.' };
  if (THOUSANDS.test(text))
    return {
      what: `${shown} is not a number here; it looks like one with thousands separators`,
      hint: `Write numbers without thousands separators and with a decimal ${decimal === '.' ? 'point' : 'comma'}.`,
    };
  if (COMMA_NUMBER.test(text))
    return {
      what: `${shown} is not a number`,
      hint: 'Write decimals with a point, or with a comma in the whole file.',
    };
  if (POINT_NUMBER.test(text))
    return {
      what: `${shown} has a decimal point, but the file has decimal commas`,
      hint: 'Write all decimals of the file with a comma, or all with a point.',
    };
  if (POINT_NUMBER.test(text.replace(OTHER_MINUS, '-')))
    return {
      what: `${shown} is not a number: its minus sign is another character`,
      hint: 'Write the minus sign as -, the hyphen of the keyboard.',
    };
  if (/^["']/.test(text))
    return { what: `${shown} is not a number`, hint: 'Write numbers without quotation marks.' };
  if (/\S#/.test(text))
    return { what: `${shown} is not a number`, hint: 'Write a blank before the # of a comment.' };
  return {
    what: `${shown} is not a number`,
    hint: 'Write decimal numbers such as -1.5e-3, with commas, semicolons, tabs or blanks between them.',
  };
}
