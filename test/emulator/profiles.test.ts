import { describe, expect, test } from 'vitest';
import { FAULT_DRAWS, FAULT_KINDS } from '../../emulator/imperfections/faults.js';
import { IMPERFECTION_LIST, IMPERFECTIONS } from '../../emulator/imperfections/table.js';
import { THERMAL_DRAWS } from '../../emulator/imperfections/thermal-drift.js';
import { parseProfile } from '../../emulator/profiles/index.js';
import { findProfile, PROFILES } from '../../emulator/profiles/profiles.js';
import {
  CELLS_MAX,
  COUPLING_BITS_MAX,
  RAIL_MAX,
  ROWS_MAX,
  TICK_LOG2_MAX,
  TICK_LOG2_MIN,
} from '../../firmware-protocol/limits.js';
import { readRepositoryFile } from '../repository/files.js';

test.each(PROFILES)('$name is within the limits of the model', (profile) => {
  expect(new TextEncoder().encode(profile.name).length).toBeLessThanOrEqual(24);
  expect(profile.cells).toBeLessThanOrEqual(CELLS_MAX);
  expect(profile.rows).toBeLessThanOrEqual(ROWS_MAX);
  expect(profile.couplingBits).toBeLessThanOrEqual(COUPLING_BITS_MAX);
  expect(profile.rail % 1024).toBe(0);
  expect(profile.rail).toBeLessThanOrEqual(RAIL_MAX);
  expect(profile.tickLog2).toBeGreaterThanOrEqual(TICK_LOG2_MIN);
  expect(profile.tickLog2).toBeLessThanOrEqual(TICK_LOG2_MAX);
  if (profile.dense) expect(profile.rows).toBe(profile.cells);
  expect(findProfile(profile.name)).toBe(profile);
  expect(parseProfile(JSON.parse(JSON.stringify(profile)))).toEqual({ profile });
});

test('names are unique; an unknown one is undefined', () => {
  expect(PROFILES.map((profile) => profile.name)).toEqual([
    'ideal-8',
    'ideal-64',
    'ideal-256',
    'ideal-1024',
    'ideal-crossbar',
    'prototype-8',
    'prototype-64',
    'prototype-256',
    'prototype-1024',
    'prototype-crossbar',
    'harsh-64',
    'spu-8',
  ]);
  expect(findProfile('ideal-9')).toBeUndefined();
});

describe('a profile of one’s own', () => {
  const prototype = findProfile('prototype-8')!;
  const changed = (path: string, value: unknown): unknown => {
    const copy = JSON.parse(JSON.stringify(prototype));
    const names = path.split('.');
    const last = names.pop()!;
    const target = names.reduce((fields, name) => fields[name], copy);
    if (value === undefined) delete target[last];
    else target[last] = value;
    return copy;
  };

  test.each([
    ['cells', 0, /is 0; it takes a whole number from 1 to 8192 \(cells\)/],
    ['cells', 8.5, /is 8.5/],
    ['cells', '8', /is "8"/],
    ['cells', undefined, /is missing; it takes/],
    ['cell', 8, /is no field; did you mean cells\? There are name, cells/],
    ['colour', 8, /is no field; there are name, cells[^?]*$/],
    ['name', '', /1 to 24 ASCII characters/],
    ['name', 'a board with a very long name', /24/],
    ['name', 'Brett ü', /ASCII/],
    ['dense', 1, /true or false/],
    ['rail', 1000, /a multiple of 1024/],
    ['rail', 1500, /a multiple of 1024/],
    ['driveRange', 3, /a power of two from 1 to 4/],
    ['rows', 4, /a dense board has as many as cells, 8/],
    ['noiseShiftMin', 24.5, /whole number/],
    ['noiseAmplitudeMax', 12_288, undefined],
    ['effects', undefined, /is missing; an ideal board has null/],
    ['effects', [], /is \[\]; it takes an object/],
    ['effects.inputoffset', null, /is no field; did you mean inputOffset\? There are couplingMismatch/],
    ['effects.offset', null, /is no field; there are couplingMismatch/],
    ['effects.inputOffset', 1000, /is 1000; it takes an object, or null: off/],
    ['effects.inputOffset.spreadPpm', 0, /from 1 to 200000 \(ppm, a standard deviation\)/],
    ['effects.inputOffset.spread', 1, /is no field; there are spreadPpm, source/],
    ['effects.inputOffset.source', undefined, /is missing/],
    ['effects.adc.bowSpreadLsb256', -1, /from 0 to 4096/],
    ['effects.softSaturation', { knee: 20_971_520, slopeLog2: 4, source: 'test' }, /below the rail/],
  ])('%s: %j', (path, value, problem) => {
    const parsed = parseProfile(changed(path, value));
    if (problem === undefined) expect(parsed).toHaveProperty('profile');
    else
      expect(parsed).toEqual({
        field: expect.stringContaining(path),
        problem: expect.stringMatching(problem),
      });
  });

  test.each([null, 3, 'x', [], undefined])('%j is no profile', (data) => {
    expect(parseProfile(data)).toMatchObject({ field: '' });
  });

  test('an effect that is left out is off', () => {
    const { effects, ...rest } = prototype;
    const { inputOffset } = effects!;
    const parsed = parseProfile({ ...rest, effects: { inputOffset } });
    expect(parsed).toMatchObject({ profile: { effects: { inputOffset, adc: null, crosstalk: null } } });
  });
});

test.each(['crosspoints', 'convertDrive', 'readAdc'] as const)(
  'at most one effect has the hook %s',
  (hook) => {
    expect(IMPERFECTION_LIST.filter(([, effect]) => effect[hook]).length).toBeLessThanOrEqual(1);
  },
);

describe('docs/reference/device-model.md', () => {
  const document = readRepositoryFile('docs/reference/device-model.md');

  test('shows a profile that is one', () => {
    const [, example] = /```json\n([\s\S]*?)```/.exec(document)!;
    expect(parseProfile(JSON.parse(example))).toHaveProperty('profile.name', 'bench-3');
  });

  test('names every effect and every fault', () => {
    const names = [...Object.keys(IMPERFECTIONS), ...Object.keys(FAULT_KINDS)];
    expect(names.filter((name) => !document.includes(`\`${name}\``))).toEqual([]);
  });

  test('numbers every draw of a die', () => {
    const named = [...IMPERFECTION_LIST.map(([, { draws }]) => draws ?? {}), FAULT_DRAWS, THERMAL_DRAWS];
    const numbers = named.flatMap(Object.entries);
    expect(new Set(numbers.map(([, draw]) => draw)).size).toBe(numbers.length);
    const draws = numbers.map(([name, draw]) => `${draw} \`${name}\``);
    const text = document.replaceAll('\n', ' ');
    expect(draws.filter((draw) => !new RegExp(`(?<!\\d)${draw}`).test(text))).toEqual([]);
  });
});
