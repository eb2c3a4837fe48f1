import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { EventFile, isEventFile, scalarsOf } from '../../src/learning/tensorboard.js';
import { PYTHON } from '../support/python.js';

const directory = mkdtempSync(join(tmpdir(), 'thermolink-events-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** The content of a file as an independent reader finds it. */
const eventsOf = (file: string): { step: number; version?: string; session?: number; scalars?: object }[] =>
  JSON.parse(
    execFileSync(PYTHON ?? 'python3', [join(import.meta.dirname, 'read_events.py'), file], {
      encoding: 'utf8',
    }),
  );

it('events are read by an independent reader, value by value', () => {
  const file = new EventFile(join(directory, 'first'), 0);
  file.scalars(0, { loss: 2.5, 'timing/gradientMs': 0.125 });
  file.scalars(300, { loss: -1e-3 });
  expect(eventsOf(file.path)).toEqual([
    { step: 0, version: 'brain.Event:2' },
    { step: 0, scalars: { loss: 2.5, 'timing/gradientMs': 0.125 } },
    { step: 300, scalars: { loss: Math.fround(-1e-3) } },
  ]);
  expect(readdirSync(join(directory, 'first')).every(isEventFile)).toBe(true);
});

it('a resumed training records its first step, so undone steps are no longer shown', { tags: 'long' }, () => {
  const file = new EventFile(join(directory, 'second'), 50);
  expect(eventsOf(file.path)[1]).toEqual({ step: 50, session: 1 });
});

it('numbers of a record have names by their place', () => {
  expect(scalarsOf({ loss: 1, note: 'x', none: null, test: { accuracy: 0.5 } })).toEqual({
    loss: 1,
    'test/accuracy': 0.5,
  });
});
