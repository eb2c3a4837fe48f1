/**
 * The columns that `text` takes in a terminal. Combining marks, as in x̂, take no column. Wide East Asian
 * signs count as one.
 */
export function columnCount(text: string): number {
  return [...text.replace(/\p{Mark}/gu, '')].length;
}

/** `text` cut to `columns` ≥ 1 columns, with an ellipsis if something is missing. */
export function fitColumns(text: string, columns: number): string {
  if (columnCount(text) <= columns) return text;
  let fitted = '';
  let count = 0;
  for (const character of text) {
    if (!/\p{Mark}/u.test(character)) count++;
    if (count >= columns) break;
    fitted += character;
  }
  return `${fitted}…`;
}

/**
 * `text` in lines of at most `columns` ≥ 1 columns. Lines break at blanks. A word breaks only if it is wider
 * than a line.
 */
export function wrapColumns(text: string, columns: number): string[] {
  if (columnCount(text) <= columns) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((whole) => pieces(whole, columns))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && columnCount(longer) > columns) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

/** A word cut into pieces of at most `columns` columns. */
function pieces(word: string, columns: number): string[] {
  const parts: string[] = [];
  let part = '';
  for (const character of word) {
    if (columnCount(part + character) > columns) {
      parts.push(part);
      part = '';
    }
    part += character;
  }
  return [...parts, part];
}

/**
 * `text` on one line. Control characters and marks that change the direction are made visible, so that it
 * cannot steer a terminal.
 */
export function printable(text: string): string {
  return (
    text
      .replace(/\s+/g, ' ')
      // C0, DEL, C1, and the marks that reorder or hide text.
      .replace(/[\p{Cc}\u061C\u200B\u200E\u200F\u2028-\u202E\u2060-\u2069\uFEFF]/gu, escapeCharacter)
      .trim()
  );
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
