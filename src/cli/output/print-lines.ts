import { once } from 'node:events';

/** Lines are written in pieces of about this many characters. */
const PIECE_CHARACTERS = 2 ** 16;

/**
 * Prints lines on standard output as fast as its reader takes them, with bounded memory. If `lines` throws an
 * error, the lines before the error are printed. The promise then rejects with that error.
 */
export async function printLines(lines: Iterable<string>): Promise<void> {
  let piece = '';
  try {
    for (const line of lines) {
      piece += `${line}\n`;
      if (piece.length < PIECE_CHARACTERS) continue;
      const ready = piece;
      piece = '';
      await print(ready);
    }
  } finally {
    await print(piece);
  }
}

async function print(text: string): Promise<void> {
  if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain');
}
