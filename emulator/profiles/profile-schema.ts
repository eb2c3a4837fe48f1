import type { z } from 'zod';
import {
  CELLS_MAX,
  COUPLING_BITS_MAX,
  COUPLING_BITS_MIN,
  IDENTITY_TEXT_BYTES_MAX,
  NOISE_AMPLITUDE_MAX,
  NOISE_AMPLITUDE_MIN,
  NOISE_SHIFT_MAX,
  NOISE_SHIFT_MIN,
  RAIL_MAX,
  ROW_SCALE_MAX,
  ROWS_MAX,
  TICK_LOG2_MAX,
  TICK_LOG2_MIN,
  U32_MAX,
} from '../../firmware-protocol/limits.js';
import type { ListRules } from '../imperfections/imperfection.js';
import { type DieEffects, IMPERFECTION_LIST, type MeasuredParts } from '../imperfections/table.js';
import type { BoardProfile } from './board-profile.js';
import { type FieldProblem, fields, flag, integer, list, parseFields, text } from './fields.js';

const CONVERTER_BITS_MIN = 8;
const CONVERTER_BITS_MAX = 16;
const SOURCE_CHARACTERS_MAX = 200;

const source = () => text(SOURCE_CHARACTERS_MAX);
const converterBits = () => integer(CONVERTER_BITS_MIN, CONVERTER_BITS_MAX, 'bits');
const noiseAmplitude = () => integer(NOISE_AMPLITUDE_MIN, NOISE_AMPLITUDE_MAX, 'of noise register a');
const noiseShift = () => integer(NOISE_SHIFT_MIN, NOISE_SHIFT_MAX, 'of noise register s');

/** The magnitudes of every effect. An effect that is left out or null is off. */
const effects = fields(
  Object.fromEntries(
    IMPERFECTION_LIST.map(([name, { magnitudes }]) => {
      const shape = mapValues(magnitudes, ({ min, max, unit }) => integer(min, max, unit));
      return [
        name,
        fields({ ...shape, source: source() }, 'an object, or null: off')
          .nullable()
          .default(null),
      ];
    }),
  ),
  'an object, or null: an ideal board',
  'is missing; an ideal board has null',
) as unknown as z.ZodType<DieEffects>;

/** The lists of every effect that can be measured. */
const measured = fields({
  source: source(),
  ...Object.fromEntries(
    IMPERFECTION_LIST.flatMap(([name, effect]) => (effect.measured ? [[name, partOf(effect.measured)]] : [])),
  ),
}) as unknown as z.ZodType<MeasuredParts>;

function partOf(lists: ListRules) {
  return fields(mapValues(lists, ({ min, max, unit }) => list(integer(min, max, unit)))).optional();
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, value: (a: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, a]) => [name, value(a)]));
}

/**
 * A profile as JSON holds it (device-model.md, "Profiles"). The table of fields there is made from this
 * schema. The compiler checks that the schema's type is `BoardProfile`.
 */
export const profileSchema = fields({
  name: text(IDENTITY_TEXT_BYTES_MAX, 'ASCII'),
  cells: integer(1, CELLS_MAX, 'cells'),
  rows: integer(1, CELLS_MAX, 'rows'),
  banks: integer(1, 2, 'banks'),
  dense: flag(),
  factored: flag(),
  rowElement: flag().default(false),
  couplingBits: integer(COUPLING_BITS_MIN, COUPLING_BITS_MAX, 'bits'),
  driveBits: converterBits(),
  adcBits: converterBits(),
  tauNs: integer(1, U32_MAX, 'ns'),
  tickLog2: integer(TICK_LOG2_MIN, TICK_LOG2_MAX, 'k of a tick of 2⁻ᵏ τ'),
  fullScaleMicrovolts: integer(1, U32_MAX, 'µV'),
  rail: integer(1024, RAIL_MAX, '2⁻²⁴ V_fs', { multipleOf: 1024 }),
  driveRange: integer(1, 4, 'V_fs·G_fs', { powerOfTwo: true }),
  noiseAmplitudeMin: noiseAmplitude(),
  noiseAmplitudeMax: noiseAmplitude(),
  noiseShiftMin: noiseShift(),
  noiseShiftMax: noiseShift(),
  noiseTemperatureMin: integer(0, U32_MAX, '10⁻¹² V_fs²'),
  rowScaleMax: integer(1, ROW_SCALE_MAX, 'm · 2^ρ'),
  effects: effects.nullable(),
  measured: measured.optional(),
}).superRefine((profile, context) => {
  const require: Require = (holds, path, problem) => {
    if (!holds) context.addIssue({ code: 'custom', path: [...path], message: problem });
  };
  checkSizes(profile, require);
  if (profile.measured !== undefined) checkMeasured(profile, profile.measured, require);
}) satisfies z.ZodType<BoardProfile>;

/** A profile, or the mistake in data that should be one. */
export type ParsedProfile = { readonly profile: BoardProfile } | FieldProblem;

/**
 * Reads a profile from data of unknown origin (JSON). Every field must be there, with three exceptions. An
 * effect that is left out or null is off. `rowElement` is false if it is left out. `measured` may be left
 * out. Other fields are errors. Ranges and units are listed in device-model.md, "Profiles". Errors: none; the
 * first mistake is returned as a `FieldProblem`.
 */
export function parseProfile(data: unknown): ParsedProfile {
  const parsed = parseFields(profileSchema, data);
  return 'value' in parsed ? { profile: parsed.value } : parsed;
}

type Path = readonly (string | number)[];
type Require = (holds: boolean, path: Path, problem: string) => void;

/** Checks that the fields fit together. Each is already valid by itself. */
function checkSizes(profile: BoardProfile, require: Require): void {
  const { cells, rows, dense, factored } = profile;
  require(dense || factored, ['factored'], 'and dense are both false; a board has at least one array');
  require(factored || !profile.rowElement, [
    'rowElement',
  ], 'is true; only the rows of a factored board can have one');
  require(!dense || rows === cells, ['rows'], `is ${rows}; a dense board has as many as cells, ${cells}`);
  require(!factored || rows <= ROWS_MAX, ['rows'], `is ${rows}; a factored board has at most ${ROWS_MAX}`);
  for (const [low, high] of [
    ['noiseAmplitudeMin', 'noiseAmplitudeMax'],
    ['noiseShiftMin', 'noiseShiftMax'],
  ] as const)
    require(profile[low] <= profile[high], [
      low,
    ], `is ${profile[low]}; it must be at most ${high}, ${profile[high]}`);
  const knee = profile.effects?.softSaturation?.knee ?? 0;
  require(knee < profile.rail, [
    'effects',
    'softSaturation',
    'knee',
  ], `is ${knee}; it must be below the rail, ${profile.rail}`);
}

/** Checks that every part belongs to an effect that is on, and that its lists fit the board. */
function checkMeasured(profile: BoardProfile, given: MeasuredParts, require: Require): void {
  const { cells, rows } = profile;
  const parts = given as unknown as Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
  for (const [name, { measured: rules = {} }] of IMPERFECTION_LIST) {
    const part = parts[name];
    if (part === undefined) continue;
    const path = ['measured', name];
    require(profile.effects?.[name] !=
      null, path, `is given; effects.${name}, whose draws it replaces, is off`);
    for (const [field, { each }] of Object.entries(rules)) {
      const wanted = { cell: cells, crosspoint: rows * cells, named: part['cells']?.length }[each];
      const per = each === 'named' ? 'cell that is named' : each;
      const { length } = part[field];
      require(length === wanted, [
        ...path,
        field,
      ], `has ${length} entries; it takes one per ${per}, ${wanted}`);
    }
    if ('cells' in rules) checkNamed(path, part, profile, require);
  }
}

/** Checks lists that name cells: cells of the board, ascending, and codes that its ADC gives. */
function checkNamed(
  path: Path,
  { cells, codes = [] }: { readonly cells?: readonly number[]; readonly codes?: readonly number[] },
  { cells: count, adcBits }: BoardProfile,
  require: Require,
): void {
  for (const [i, cell] of (cells ?? []).entries())
    require(cell < count && (i === 0 || cell > cells![i - 1]), [
      ...path,
      'cells',
      i,
    ], `is ${cell}; it takes cells 0 to ${count - 1}, ascending`);
  const largest = (1 << (adcBits - 1)) - 1;
  for (const [i, code] of codes.entries())
    require(code >= -largest - 1 && code <= largest, [
      ...path,
      'codes',
      i,
    ], `is ${code}; the ADC gives codes from ${-largest - 1} to ${largest}`);
}
