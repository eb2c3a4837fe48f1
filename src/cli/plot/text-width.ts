/**
 * Widths of characters in units of the font size, after DejaVu Sans, the widest of the fonts that a chart may be shown
 * in: text never turns out wider than planned by more than a few per cent.
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

/** `text`, cut with an ellipsis so that it is no wider than `widthPx`. */
export function fitText(text: string, widthPx: number, fontPx: number): string {
  if (textWidth(text, fontPx) <= widthPx) return text;
  const characters = [...text];
  while (characters.length > 0 && textWidth(`${characters.join('')}…`, fontPx) > widthPx) characters.pop();
  return `${characters.join('').trimEnd()}…`;
}

/** `text` broken between words into at most `linesMax` lines no wider than `widthPx`; the last one is cut if need be. */
export function wrapText(text: string, widthPx: number, fontPx: number, linesMax = 3): string[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const lines: string[] = [];
  let line = '';
  for (const [index, word] of words.entries()) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || textWidth(longer, fontPx) <= widthPx) {
      line = longer;
    } else if (lines.length === linesMax - 1) {
      line = `${line} ${words.slice(index).join(' ')}`;
      break;
    } else {
      lines.push(line);
      line = word;
    }
  }
  if (line !== '') lines.push(line);
  return lines.map((text) => fitText(text, widthPx, fontPx));
}
