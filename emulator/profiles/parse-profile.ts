import { ROWS_MAX } from '../../firmware-protocol/limits.js';
import type { DieEffects } from '../imperfections/table.js';
import type { BoardProfile } from './board-profile.js';
import { checkValue, fieldsOf, Problem, refuseUnknown, requireThat } from './field-checks.js';
import { parseMeasured } from './parse-measured.js';
import { EFFECT_RULES, PROFILE_RULES, TEXT_MAX } from './profile-schema.js';

/** What is wrong with which field, as a sentence's end: "cells is 0; it takes …". */
export interface ProfileProblem {
  /** As in `effects.inputOffset.spreadPpm`; empty: the whole. */
  readonly field: string;
  readonly problem: string;
}
/** A profile, or what is wrong with the data that should have been one. */
export type ParsedProfile = { readonly profile: BoardProfile } | ProfileProblem;

/**
 * A profile from data of unknown origin (JSON). Every field must be there except that an effect that is left out is off, as
 * one that is null, and that `measured` may be left out; nothing else may be there. Errors: none; what is wrong is a
 * `ProfileProblem`.
 */
export function parseProfile(data: unknown): ParsedProfile {
  try {
    return { profile: parse(data) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { field: error.field, problem: error.message };
  }
}

function parse(data: unknown): BoardProfile {
  const fields = fieldsOf('', data);
  refuseUnknown('', fields, [...Object.keys(PROFILE_RULES), 'effects', 'measured']);
  for (const [name, rule] of Object.entries(PROFILE_RULES)) checkValue(name, fields[name], rule);
  if (fields['effects'] === undefined) throw new Problem('effects', 'is missing; an ideal board has null');
  const effects = fields['effects'] === null ? null : parseEffects(fields['effects']);
  const profile = { ...fields, effects } as unknown as BoardProfile;
  checkRelations(profile);
  return fields['measured'] === undefined
    ? profile
    : { ...profile, measured: parseMeasured(fields['measured'], profile) };
}

function parseEffects(data: unknown): DieEffects {
  const given = fieldsOf('effects', data, 'an object, or null: an ideal board');
  refuseUnknown('effects.', given, Object.keys(EFFECT_RULES));
  const effects: Record<string, unknown> = {};
  for (const [name, rules] of Object.entries(EFFECT_RULES)) {
    const effect = given[name] ?? null;
    effects[name] = effect;
    if (effect === null) continue;
    const field = `effects.${name}`;
    const fields = fieldsOf(field, effect, 'an object, or null: off');
    refuseUnknown(`${field}.`, fields, [...Object.keys(rules), 'source']);
    for (const [magnitude, rule] of Object.entries(rules))
      checkValue(`${field}.${magnitude}`, fields[magnitude], rule);
    checkValue(`${field}.source`, fields['source'], { kind: 'text', max: TEXT_MAX });
  }
  return effects as unknown as DieEffects;
}

/** What each field allows by itself may not fit together. */
function checkRelations(profile: BoardProfile): void {
  const { cells, rows, dense, factored, effects } = profile;
  requireThat(dense || factored, 'factored', 'and dense are both false; a board has at least one array');
  requireThat(!dense || rows === cells, 'rows', `is ${rows}; a dense board has as many as cells, ${cells}`);
  requireThat(!factored || rows <= ROWS_MAX, 'rows', `is ${rows}; a factored board has at most ${ROWS_MAX}`);
  for (const [low, high] of [
    ['noiseAmplitudeMin', 'noiseAmplitudeMax'],
    ['noiseShiftMin', 'noiseShiftMax'],
  ] as const)
    requireThat(
      profile[low] <= profile[high],
      low,
      `is ${profile[low]}; it is at most ${high}, ${profile[high]}`,
    );
  const knee = effects?.softSaturation?.knee ?? 0;
  requireThat(
    knee < profile.rail,
    'effects.softSaturation.knee',
    `is ${knee}; it lies below the rail, ${profile.rail}`,
  );
}
