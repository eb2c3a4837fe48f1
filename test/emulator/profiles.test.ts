import { expect, test } from 'vitest';
import { findProfile, PROFILES } from '../../emulator/profiles/profiles.js';
import {
  CELLS_MAX,
  COUPLING_BITS_MAX,
  RAIL_MAX,
  ROWS_MAX,
  TICK_LOG2_MAX,
  TICK_LOG2_MIN,
} from '../../firmware-protocol/limits.js';

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
});

test('names are unique; an unknown one is undefined', () => {
  expect(PROFILES.map((profile) => profile.name)).toEqual([
    'ideal-8',
    'ideal-64',
    'ideal-256',
    'ideal-1024',
    'ideal-crossbar',
  ]);
  expect(findProfile('ideal-9')).toBeUndefined();
});
