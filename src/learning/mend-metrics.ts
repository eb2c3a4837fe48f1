import { ThermolinkError } from '../errors.js';
import { counted } from '../number-text.js';
import type { StepFacts } from './record.js';

/** Metrics that belong to a checkpoint. */
export interface MendedMetrics {
  /** The lines of the steps of the checkpoint. */
  readonly text: string;
  /** What was mended, as a sentence; undefined where every line was whole. */
  readonly mended: string | undefined;
}

/** A line as it was read: a whole record, what is left of one, or something else. */
type Line =
  | { readonly kind: 'whole' | 'cut'; readonly record: Partial<StepFacts>; readonly text: string }
  | { readonly kind: 'foreign' };

/**
 * The metrics of the first `count` steps out of the `content` of the file at `path`. A full disk or a power
 * cut may have cut a line, so that the next one follows in the same line or the file ends there. A cut record
 * keeps its whole fields and loses the others. A cut line behind the steps of the checkpoint is dropped,
 * since its step is taken again.
 *
 * Errors: BAD_CHECKPOINT when a line is missing or is not the record of its step.
 */
export function mendMetrics(path: string, content: string, count: number): MendedMetrics {
  // Each record begins with its step, so a record behind a cut one is told from it.
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
  // What stands before the last comma is whole. The last fields are those of `timing`, an object of its own.
  const before = line.slice(0, Math.max(0, line.lastIndexOf(',')));
  // So little may be left that the number of the step went too. Its place tells it.
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
    return `${path} had ${counted(cut.length, 'cut line')} (step ${cut.join(', ')}): what is left of it was kept.`;
  if (behind.some(({ kind }) => kind === 'cut'))
    return `${path} ended in a cut line, which was removed; its step is taken again.`;
  if (kept.length > 0 && behind.length === 0 && !content.endsWith('\n'))
    return `${path} ended without the end of its last line, which was added.`;
  return undefined;
}
