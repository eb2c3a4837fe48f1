import type { Command } from 'commander';
import { wrapColumns } from './text-width.js';

/** The width that commander takes if the output is not a terminal. */
const WIDTH_DEFAULT = 80;

/**
 * Adds notes to the end of `--help`. Consecutive lines are one paragraph, which is wrapped to the terminal.
 * A line that ends in a colon ends its paragraph. An indented line is never wrapped, so that a command can be
 * copied.
 */
export function addNotes(command: Command, notes: string): void {
  command.addHelpText('after', () => wrapNotes(notes, process.stdout.columns || WIDTH_DEFAULT));
}

export function wrapNotes(notes: string, width: number): string {
  const paragraphs: string[] = [];
  let isOpen = false;
  for (const line of notes.split('\n')) {
    const isText = line !== '' && !line.startsWith(' ');
    if (isText && isOpen) paragraphs[paragraphs.length - 1] += ` ${line}`;
    else paragraphs.push(line);
    isOpen = isText && !line.endsWith(':');
  }
  return paragraphs.flatMap((text) => (text.startsWith(' ') ? [text] : wrapColumns(text, width))).join('\n');
}
