/**
 * Widths of characters in units of the font size. They are those of DejaVu Sans, the widest of the possible
 * fonts. Text is therefore never much wider than planned.
 */
const NARROW = /[iljI|!.,:;'`]/;
const SLIM = /[ tfr()[\]{}"\-/\\1]/;
const WIDE = /[mwMW@%\u2014…]/;
const CAPITAL = /[A-Z&+<>=×−]/;
const FULL_WIDTH = /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE4F\uFF00-\uFF60]/;

/** Estimated width of `text`, pixels, at the given font size. */
export function textWidth(text: string, fontPx: number): number {
  let width = 0;
  for (const character of text.replace(/\p{Mark}/gu, '')) width += characterWidth(character);
  return width * fontPx;
}

function characterWidth(character: string): number {
  if (NARROW.test(character)) return 0.32;
  if (SLIM.test(character)) return character === '1' ? 0.64 : 0.42;
  if (WIDE.test(character)) return 0.95;
  if (CAPITAL.test(character)) return 0.74;
  if (FULL_WIDTH.test(character) || character.length > 1) return 1;
  return 0.63;
}

/** `text`, cut to `widthPx`. An ellipsis shows that something is missing. */
export function fitText(text: string, widthPx: number, fontPx: number): string {
  if (textWidth(text, fontPx) <= widthPx) return text;
  const characters = [...text];
  while (characters.length > 0 && textWidth(`${characters.join('')}…`, fontPx) > widthPx) characters.pop();
  return `${characters.join('').trimEnd()}…`;
}

/**
 * Breaks `text` between words into the smallest number of lines of at most `widthPx`, with about equal
 * lengths. A word is cut only if it is wider than a line. A no-break space (U+00A0) keeps words on one line.
 */
export function wrapText(text: string, widthPx: number, fontPx: number): string[] {
  const words = text.split(/[^\S\u00A0]+/).filter((word) => word !== '');
  let lines = fillLines(words, widthPx, fontPx);
  // The width is reduced step by step while the number of lines stays the same. This avoids a last line
  // with a single word.
  for (let share = 0.95; share > 0.5; share -= 0.05) {
    const narrower = fillLines(words, widthPx * share, fontPx);
    if (narrower.length > lines.length || narrower.some((line) => textWidth(line, fontPx) > widthPx)) break;
    lines = narrower;
  }
  return lines.map((line) => fitText(line, widthPx, fontPx));
}

function fillLines(words: readonly string[], widthPx: number, fontPx: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && textWidth(`${last} ${word}`, fontPx) <= widthPx)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
