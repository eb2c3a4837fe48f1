import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wrapNotes } from '../../src/cli/output/help-notes.js';
import { type Align, formatTable } from '../../src/cli/output/table.js';
import { columnCount, fitColumns, printable, wrapColumns } from '../../src/cli/output/text-width.js';

describe('tables', () => {
  it('columns are aligned for any content', () => {
    const cells = fc.array(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 3, maxLength: 3 }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(cells, (rows) => {
        const lines = formatTable(rows.map((row) => [...row, '|'])).split('\n');
        expect(lines.pop()).toBe('');
        expect(lines).toHaveLength(rows.length);
        expect(new Set(lines.map(columnCount)).size).toBe(1);
      }),
    );
  });

  it('has the expected layout', () => {
    const rows = [
      ['x̂', '1.50'],
      ['board', '12.25'],
    ];
    expect(formatTable(rows, { header: ['part', 'ms'], align: ['left', 'right'] })).toBe(
      ['  part      ms', '  ─────  ─────', '  x̂       1.50', '  board  12.25', ''].join('\n'),
    );
  });

  it('no line is wider than the terminal, no number is cut, and left-out columns are counted', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 60 });
    const number = fc.double({ noNaN: true }).map(String);
    const row = fc.tuple(text, number, number, text);
    const align: Align[] = ['left', 'right', 'point', 'left'];
    fc.assert(
      fc.property(fc.array(row, { minLength: 1 }), fc.integer({ min: 40, max: 200 }), (rows, width) => {
        const lines = formatTable(rows, { align, width }).trimEnd().split('\n');
        const leftOut = Number(/^ {2}… (\d) columns? more/.exec(lines.at(-1)!)?.[1] ?? 0);
        for (const line of lines) expect(columnCount(line)).toBeLessThanOrEqual(width);
        const table = lines.join('\n');
        for (const [, first, second] of rows) {
          if (leftOut < 3) expect(table).toContain(first);
          if (leftOut < 2) expect(table).toContain(second);
        }
      }),
    );
  });

  it('wraps text and aligns decimal points', () => {
    const rows = [
      ['x[0]', '-0.25', 'a text of some words'],
      ['x[10]', '12.5', 'b'],
    ];
    expect(formatTable(rows, { align: ['left', 'point', 'left'], width: 32 })).toBe(
      ['  x[0]   -0.25  a text of some', '                words', '  x[10]  12.5   b', ''].join('\n'),
    );
    expect(formatTable(rows, { align: ['left', 'point', 'left'], width: 24 })).toBe(
      ['  x[0]   -0.25', '  x[10]  12.5', '  … 1 column more: wide…', ''].join('\n'),
    );
  });

  it('wrapped words are all there, in lines that fit', () => {
    const words = fc.array(
      fc.string({ unit: 'grapheme', minLength: 1 }).map((word) => word.replace(/\s/g, '')),
    );
    fc.assert(
      fc.property(words, fc.integer({ min: 1, max: 40 }), (list, columns) => {
        const text = list.filter((word) => word !== '').join(' ');
        const lines = wrapColumns(text, columns);
        for (const line of lines) expect(columnCount(line)).toBeLessThanOrEqual(columns);
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
      }),
    );
  });

  it('notes of a help page are wrapped, its commands are not', () => {
    const notes = 'Examples:\n  thermolink solve --matrix A.csv\n\nOne note that\ngoes on.';
    expect(wrapNotes(notes, 16)).toBe(
      'Examples:\n  thermolink solve --matrix A.csv\n\nOne note that\ngoes on.',
    );
    expect(wrapNotes(notes, 80)).toContain('\nOne note that goes on.');
  });

  it('control characters for a terminal are shown as text', () => {
    expect(printable('a\x1b[31m\u202Eb\tc\n d\u0000')).toBe('a\\u001b[31m\\u202eb c d\\u0000');
    expect(fitColumns('abcdef', 4)).toBe('abc…');
    expect(fitColumns('x̂ŷẑ', 3)).toBe('x̂ŷẑ');
  });
});
