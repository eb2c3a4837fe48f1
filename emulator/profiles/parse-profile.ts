import { ROWS_MAX } from '../../firmware-protocol/limits.js';
import type { BoardProfile } from './board-profile.js';
import type { DieEffects } from './die-effects.js';
import { EFFECT_RULES, PROFILE_RULES, type ProfileRule, TEXT_MAX } from './profile-schema.js';

/** What is wrong with which field, as a sentence's end: "cells is 0; it takes …". */
export interface ProfileProblem {
  /** As in `effects.inputOffset.spreadPpm`; empty: the whole. */
  readonly field: string;
  readonly problem: string;
}
export type ParsedProfile = { readonly profile: BoardProfile } | ProfileProblem;

type Fields = Readonly<Record<string, unknown>>;

class Problem extends Error {
  readonly field: string;

  constructor(field: string, problem: string) {
    super(problem);
    this.field = field;
  }
}

/**
 * A profile from data of unknown origin (JSON). Every field must be there except that an effect that is left out is off, as
 * one that is null; nothing else may be there.
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
  refuseUnknown('', fields, [...Object.keys(PROFILE_RULES), 'effects']);
  for (const [name, rule] of Object.entries(PROFILE_RULES)) checkValue(name, fields[name], rule);
  if (fields['effects'] === undefined) throw new Problem('effects', 'is missing; an ideal board has null');
  const effects = fields['effects'] === null ? null : parseEffects(fields['effects']);
  const profile = { ...fields, effects } as unknown as BoardProfile;
  checkRelations(profile);
  return profile;
}

function parseEffects(data: unknown): DieEffects {
  const given = fieldsOf('effects', data);
  refuseUnknown('effects.', given, Object.keys(EFFECT_RULES));
  const effects: Record<string, unknown> = {};
  for (const [name, rules] of Object.entries(EFFECT_RULES)) {
    const effect = given[name] ?? null;
    effects[name] = effect;
    if (effect === null) continue;
    const field = `effects.${name}`;
    const fields = fieldsOf(field, effect);
    refuseUnknown(`${field}.`, fields, [...Object.keys(rules), 'source']);
    for (const [magnitude, rule] of Object.entries(rules))
      checkValue(`${field}.${magnitude}`, fields[magnitude], rule);
    checkValue(`${field}.source`, fields['source'], { kind: 'text', max: TEXT_MAX });
  }
  return effects as unknown as DieEffects;
}

function fieldsOf(field: string, data: unknown): Fields {
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw new Problem(field, `is ${shown(data)}; it takes an object`);
  return data as Fields;
}

function refuseUnknown(path: string, fields: Fields, known: readonly string[]): void {
  for (const name of Object.keys(fields))
    if (!known.includes(name))
      throw new Problem(`${path}${name}`, `is no field; there are ${known.join(', ')}`);
}

function checkValue(field: string, value: unknown, rule: ProfileRule): void {
  const takes = describe(rule);
  if (value === undefined) throw new Problem(field, `is missing; it takes ${takes}`);
  if (!fits(value, rule)) throw new Problem(field, `is ${shown(value)}; it takes ${takes}`);
}

function fits(value: unknown, rule: ProfileRule): boolean {
  if (rule.kind === 'flag') return typeof value === 'boolean';
  if (rule.kind === 'text') return typeof value === 'string' && isText(value, rule);
  if (typeof value !== 'number' || !Number.isInteger(value)) return false;
  if (value < rule.min || value > rule.max) return false;
  if (rule.powerOfTwo && (value & (value - 1)) !== 0) return false;
  return rule.multipleOf === undefined || value % rule.multipleOf === 0;
}

function describe(rule: ProfileRule): string {
  if (rule.kind === 'flag') return 'true or false';
  if (rule.kind === 'text') return `1 to ${rule.max} ${rule.ascii ? 'ASCII ' : ''}characters`;
  const kind = rule.powerOfTwo
    ? 'a power of two'
    : rule.multipleOf === undefined
      ? 'a whole number'
      : `a multiple of ${rule.multipleOf}`;
  return `${kind} from ${rule.min} to ${rule.max} (${rule.unit})`;
}

function isText(value: string, { max, ascii }: Extract<ProfileRule, { kind: 'text' }>): boolean {
  return value.length >= 1 && value.length <= max && (!ascii || /^[ -~]*$/.test(value));
}

/** What each field allows by itself may not fit together. */
function checkRelations(profile: BoardProfile): void {
  const { cells, rows, dense, factored, effects } = profile;
  const require = (holds: boolean, field: string, problem: string) => {
    if (!holds) throw new Problem(field, problem);
  };
  require(dense || factored, 'factored', 'and dense are both false; a board has at least one array');
  require(!dense || rows === cells, 'rows', `is ${rows}; a dense board has as many as cells, ${cells}`);
  require(!factored || rows <= ROWS_MAX, 'rows', `is ${rows}; a factored board has at most ${ROWS_MAX}`);
  for (const [low, high] of [
    ['noiseAmplitudeMin', 'noiseAmplitudeMax'],
    ['noiseShiftMin', 'noiseShiftMax'],
  ] as const)
    require(profile[low] <=
      profile[high], low, `is ${profile[low]}; it is at most ${high}, ${profile[high]}`);
  const knee = effects?.softSaturation?.knee ?? 0;
  require(knee <
    profile.rail, 'effects.softSaturation.knee', `is ${knee}; it lies below the rail, ${profile.rail}`);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
