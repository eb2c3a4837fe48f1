import { ThermolinkError } from '../errors.js';
import { counted } from '../number-text.js';
import type { StepFacts } from './record.js';

/** The metrics up to a checkpoint, after damaged lines were mended. */
export interface MendedMetrics {
  /** One line for each step before the checkpoint. */
  readonly text: string;
  /** A sentence that tells which lines were mended; undefined if every line was whole. */
  readonly mended: string | undefined;
}

/** A line of the file: a whole record, the remains of a record, or something else. */
type Line =
  | { readonly kind: 'whole' | 'cut'; readonly record: Partial<StepFacts>; readonly text: string }
  | { readonly kind: 'foreign' };

/**
 * The metrics of the first `count` steps, taken from `content`, the text of the file at `path`. A full disk
 * or a power cut may have cut off the end of a record. Then the next record follows in the same line, or the
 * file ends. A cut record keeps its complete fields and loses the others. A cut record after the last step of
 * the checkpoint is dropped, because that step is taken again.
 *
 * Errors: BAD_CHECKPOINT when a line is missing or is not the record of its step.
 */
export function mendMetrics(path: string, content: string, count: number): MendedMetrics {
  // Each record begins with its step. This shows where a new record begins in the line of a cut record.
  const lines = content.split(/\n|(?=\{"step":)/).filter((line) => line !== '');
  const read = lines.map((line, step) => readLine(line, step));
  const kept = read.slice(0, count);
  const wrong = Array.from({ length: count }).findIndex((_, step) => {
    const line = kept[step];
    return line === undefined || line.kind === 'foreign' || line.record.step !== step;
  });
  if (wrong >= 0)
    throw new ThermolinkError(
      'BAD_CHECKPOINT',
      `${path} does not belong to the checkpoint beside it: line ${wrong + 1} is not the record of step ${wrong}.`,
      { hint: 'Start a new training in another directory.', data: { file: path } },
    );
  const text = kept.map((line) => ('text' in line ? `${line.text}\n` : '')).join('');
  return { text, mended: noteOf(path, kept, read.slice(count), content) };
}

function readLine(line: string, step: number): Line {
  const whole = parse(line);
  if (whole !== undefined) return { kind: 'whole', record: whole, text: line };
  if (!line.startsWith('{')) return { kind: 'foreign' };
  // The text before the last comma is complete. The cut may lie inside `timing`, the last field, which is an
  // object: hence the second attempt with two braces.
  const before = line.slice(0, Math.max(0, line.lastIndexOf(',')));
  // Even the step number may be cut off. The position of the line gives it.
  const record = parse(`${before}}`) ?? parse(`${before}}}`) ?? { step };
  return { kind: 'cut', record, text: JSON.stringify(record) };
}

function parse(text: string): Partial<StepFacts> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function noteOf(
  path: string,
  kept: readonly Line[],
  behind: readonly Line[],
  content: string,
): string | undefined {
  const cut = kept.flatMap(({ kind }, step) => (kind === 'cut' ? [step] : []));
  if (cut.length > 0)
    return `${path} had ${counted(cut.length, 'cut line')} (step ${cut.join(', ')}): its complete fields were kept.`;
  if (behind.some(({ kind }) => kind === 'cut'))
    return `${path} ended in a cut line. The line was removed, and its step is taken again.`;
  if (kept.length > 0 && behind.length === 0 && !content.endsWith('\n'))
    return `${path} lacked the newline at the end of its last line; it was added.`;
  return undefined;
}
