import { FRAME_BYTES_BEFORE_HELLO, FRAME_BYTES_MAX } from '../../firmware-protocol/limits.js';
import { type Ambush, type FaultName, FRAME_FAULTS, STATES, WORLD_FAULTS } from './faults.js';
import { type Scenario, VARIANTS } from './scenario.js';

/** A field of a scenario as text. */
interface Field<T> {
  /** The possible values, for the help. */
  readonly form: string;
  /** The value of a text; undefined if the text is not a value. */
  readonly parse: (text: string) => T | undefined;
  readonly print: (value: T) => string;
}

type FieldName = Exclude<keyof Scenario, 'seed'>;

const FIELDS: { readonly [Name in FieldName]: Field<Scenario[Name]> } = {
  variant: number(`0 to ${VARIANTS - 1}`, (value) => isWhole(value, 0, VARIANTS - 1)),
  line: choice({ serial: 'serial', hub: 'hub' }),
  latencyMs: number('milliseconds, from 0', (value) => value >= 0),
  bytesPerMs: number('bytes per millisecond, above 0', (value) => value > 0),
  frameBytes: number(`${FRAME_BYTES_BEFORE_HELLO} to ${FRAME_BYTES_MAX} bytes`, (value) =>
    isWhole(value, FRAME_BYTES_BEFORE_HELLO, FRAME_BYTES_MAX),
  ),
  inFlightFrames: number('frames, from 1', (value) => isWhole(value, 1, 1e6)),
  sliceMs: number('milliseconds, above 0', (value) => value > 0),
  frameNoise: number('probability, 0 to 1/7', (value) => value >= 0 && value * FRAME_FAULTS.length <= 1),
  frameFaults: ambushes(FRAME_FAULTS),
  worldFaults: ambushes(WORLD_FAULTS),
  sequenceWraps: choice({ yes: true, no: false }),
  noncesComeAgain: choice({ yes: true, no: false }),
};

const NAMES = Object.keys(FIELDS) as FieldName[];
const optionOf = (name: FieldName): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The options of every field, for `parseArgs`. */
export const SCENARIO_OPTIONS: Readonly<Record<string, { type: 'string' }>> = Object.fromEntries(
  NAMES.map((name) => [optionOf(name), { type: 'string' } as const]),
);

/** One line for each field: its option and its possible values. */
export const SCENARIO_HELP = NAMES.map(
  (name) => `  --${optionOf(name).padEnd(17)} ${FIELDS[name].form}`,
).join('\n');

/**
 * The fields that the options change. For a wrong value it throws an error with the name of the option.
 */
export function scenarioChange(values: Readonly<Record<string, unknown>>): Partial<Scenario> {
  const entries = NAMES.flatMap((name) => {
    const text = values[optionOf(name)];
    if (typeof text !== 'string') return [];
    const value = FIELDS[name].parse(text);
    if (value === undefined) throw new Error(`--${optionOf(name)} ${text}: expected ${FIELDS[name].form}`);
    return [[name, value] as const];
  });
  return Object.fromEntries(entries);
}

/** Fields of a scenario as the options that set them. */
export function scenarioTexts(fields: Partial<Scenario>): string[] {
  const text = <Name extends FieldName>(name: Name, value: Scenario[Name]): string =>
    `--${optionOf(name)} ${FIELDS[name].print(value)}`;
  return NAMES.flatMap((name) => (fields[name] === undefined ? [] : [text(name, fields[name])]));
}

function number(form: string, accepts: (value: number) => boolean): Field<number> {
  return {
    form,
    parse: (text) => {
      const value = text.trim() === '' ? Number.NaN : Number(text);
      return Number.isFinite(value) && accepts(value) ? value : undefined;
    },
    print: String,
  };
}

const isWhole = (value: number, from: number, to: number): boolean =>
  Number.isInteger(value) && value >= from && value <= to;

function choice<T>(values: Readonly<Record<string, T>>): Field<T> {
  const names = Object.keys(values);
  return {
    form: names.join(' or '),
    parse: (text) => (Object.hasOwn(values, text) ? values[text] : undefined),
    print: (value) => names.find((name) => values[name] === value)!,
  };
}

/**
 * A list of faults as text: `none`, or for example `drop@running+3,flip@boot+0`. An item has the name of the
 * fault, the state of the board in which it can happen, and the number of opportunities that it lets pass
 * first.
 */
function ambushes<F extends FaultName>(faults: readonly F[]): Field<readonly Ambush<F>[]> {
  const parseOne = (text: string): Ambush<F> | undefined => {
    const [, name, where, patience] = /^(\w+)@(\w+)\+(\d+)$/.exec(text) ?? [];
    const fault = faults.find((one) => one === name);
    const state = STATES.find((one) => one === where);
    return fault && state && { fault, state, patience: Number(patience) };
  };
  return {
    form: `none, or a list like ${faults[0]}@running+3 (${faults.join(', ')}; ${STATES.join(', ')})`,
    parse: (text) => {
      if (text === 'none') return [];
      const parsed = text.split(',').map(parseOne);
      return parsed.every((one) => one !== undefined) ? parsed : undefined;
    },
    print: (list) =>
      list.map(({ fault, state, patience }) => `${fault}@${state}+${patience}`).join(',') || 'none',
  };
}
