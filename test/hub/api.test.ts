import { describe, expect, it } from 'vitest';
import { BOARD_NAME, EVENT, NOTES_MAX, NOTES_REQUEST, RECORDING_REQUEST } from '../../src/hub/api.js';

const NOTE = { training: 'mnist', step: 3, values: { trainLoss: 0.5 } };

describe('input of people and programs to a hub is checked', () => {
  it('takes notes with numbers', () => {
    expect(NOTES_REQUEST.parse({ notes: [NOTE] })).toEqual({ notes: [NOTE] });
  });

  it.each([
    ['no note', { notes: [] }],
    ['too many notes', { notes: Array.from({ length: NOTES_MAX + 1 }, () => NOTE) }],
    ['a value that is not finite', { notes: [{ ...NOTE, values: { loss: Number.NaN } }] }],
    ['too many values', { notes: [{ ...NOTE, values: manyValues(17) }] }],
    ['a name that is markup', { notes: [{ ...NOTE, values: { '<b>': 1 } }] }],
    ['a field that it does not know', { notes: [{ ...NOTE, html: 'x' }] }],
  ])('refuses %s', (_, body) => {
    expect(NOTES_REQUEST.safeParse(body).success).toBe(false);
  });

  it('refuses a recording that is neither on nor off', () => {
    expect(RECORDING_REQUEST.safeParse({ on: 1 }).success).toBe(false);
  });

  it.each(['', '..', 'a/b', '-x', 'a b', 'ä', 'x'.repeat(65)])('refuses the board name %j', (name) => {
    expect(BOARD_NAME.safeParse(name).success).toBe(false);
  });
});

it('an event of a later version keeps the fields that this version knows', () => {
  const event = { type: 'thinned', timeMs: 1, messages: 2 };
  expect(EVENT.parse({ ...event, later: true })).toEqual(event);
});

function manyValues(length: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length }, (_, i) => [`v${i}`, i]));
}
