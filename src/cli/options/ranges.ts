import { ThermolinkError } from '../../errors.js';
import type { ValueParser } from './values.js';

/** A range of numbers; an end that is missing is open. */
export interface NumberRange {
  readonly from?: number;
  readonly to?: number;
}

const CELLS_LISTED_MAX = 8192;

/** `100..200`, `100..`, `..200` or `100`. `isWhole`: without fractions. */
export function range(isWhole: boolean): ValueParser<NumberRange> {
  const number = isWhole ? '\\d{1,15}' : '\\d{1,15}(?:\\.\\d+)?';
  const form = new RegExp(`^(${number})?(\\.\\.)?(${number})?$`);
  return (text, name) => {
    const [, from, dots, to] = form.exec(text) ?? [];
    const ends = {
      ...(from === undefined ? {} : { from: Number(from) }),
      ...(to === undefined ? {} : { to: Number(to) }),
    };
    if (from !== undefined && dots === undefined && to === undefined) return { ...ends, to: Number(from) };
    const isOrdered = (ends.from ?? 0) <= (ends.to ?? Infinity);
    if (dots !== undefined && (from !== undefined || to !== undefined) && isOrdered) return ends;
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `${name} takes FROM..TO, but was given ${JSON.stringify(text)}.`,
      {
        hint: isWhole ? 'For example 100..200, 100.. or ..200.' : 'For example 0.5..1.25, 0.5.. or ..1.25.',
      },
    );
  };
}

/** Names, separated by commas. */
export const nameList: ValueParser<readonly string[]> = (text) => text.split(',').map((name) => name.trim());

/** Cells: `0-7,12`, in ascending order and each once. */
export const cellList: ValueParser<readonly number[]> = (text, name) => {
  const cells = new Set<number>();
  for (const part of text.split(',')) {
    const [, first, last = first] = /^\s*(\d{1,4})(?:-(\d{1,4}))?\s*$/.exec(part) ?? [];
    if (first === undefined || Number(last) < Number(first) || Number(last) >= CELLS_LISTED_MAX)
      throw new ThermolinkError(
        'BAD_ARGUMENT',
        `${name} takes cells, but was given ${JSON.stringify(text)}.`,
        { hint: `For example 0-7,12; cells are 0 to ${CELLS_LISTED_MAX - 1}.` },
      );
    for (let cell = Number(first); cell <= Number(last); cell++) cells.add(cell);
  }
  return [...cells].sort((a, b) => a - b);
};

/** Like `cellList`, at most `count` cells. */
export function cellListUpTo(count: number): ValueParser<readonly number[]> {
  return (text, name) => {
    const cells = cellList(text, name);
    if (cells.length <= count) return cells;
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `${name} takes at most ${count} cells, but was given ${cells.length}.`,
      { hint: 'Leave some of them out.' },
    );
  };
}
