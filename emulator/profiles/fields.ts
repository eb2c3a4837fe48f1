/**
 * Schemas of JSON that people write, with error texts. Each schema says which values it takes. An error names
 * the field, the value that was found and the values that are allowed.
 */
import { z } from 'zod';

/** The first mistake, as two parts of a sentence: `cells` `is 0; it takes …`. */
export interface FieldProblem {
  /** The field, as in `effects.inputOffset.spreadPpm`. Empty: the mistake is in the whole object. */
  readonly field: string;
  readonly problem: string;
}

const SHOWN_MAX = 60;
/** The most characters by which a misspelt name differs from the right one. */
const TYPOS_MAX = 2;

/** `data` as the schema reads it, or the first mistake. */
export function parseFields<T>(schema: z.ZodType<T>, data: unknown): { readonly value: T } | FieldProblem {
  const parsed = schema.safeParse(data);
  if (parsed.success) return { value: parsed.data };
  const { issues } = parsed.error;
  // A misspelt name is unknown, and the right name is then missing. The error about the unknown name is the
  // more helpful one.
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys');
  const { path, message } = unknown ?? issues[0];
  return { field: nameOf(unknown ? [...path, unknown.keys[0]] : path), problem: message };
}

/** The name of the field at `path`, such as `effects.adc` or `values[3]`. */
function nameOf(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}

/** The error text of a value that the schema does not take. */
function takes(what: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) =>
    input === undefined ? `is missing; it takes ${what}` : `is ${shown(input)}; it takes ${what}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

/** A whole number. `unit` and the notes go into the table of device-model.md too. */
export function integer(
  min: number,
  max: number,
  unit: string,
  more: { readonly multipleOf?: number; readonly powerOfTwo?: true } = {},
): z.ZodType<number> {
  const { multipleOf, powerOfTwo } = more;
  const kind = powerOfTwo
    ? 'a power of two'
    : multipleOf === undefined
      ? 'a whole number'
      : `a multiple of ${multipleOf}`;
  const error = takes(`${kind} from ${min} to ${max} (${unit})`);
  const range = z.int({ error }).min(min, { error }).max(max, { error });
  const whole = multipleOf === undefined ? range : range.multipleOf(multipleOf, { error });
  const value = powerOfTwo ? whole.refine((number) => (number & (number - 1)) === 0, { error }) : whole;
  return value.meta({ unit, ...(powerOfTwo ? { note: kind } : {}) });
}

/** A finite number from `min` to `max`. */
export function number(min: number, max: number): z.ZodType<number> {
  const error = takes(`a number from ${min} to ${max}`);
  return z.number({ error }).min(min, { error }).max(max, { error });
}

/** A finite number above 0. */
export function positiveNumber(): z.ZodType<number> {
  const error = takes('a number above 0');
  return z.number({ error }).positive({ error });
}

export function flag(): z.ZodType<boolean> {
  return z.boolean({ error: takes('true or false') });
}

export function text(max: number, characters: 'any' | 'ASCII' = 'any'): z.ZodType<string> {
  const ascii = characters === 'ASCII';
  const error = takes(`1 to ${max} ${ascii ? 'ASCII ' : ''}characters`);
  const value = z.string({ error }).min(1, { error }).max(max, { error });
  return ascii ? value.regex(/^[ -~]*$/, { error }).meta({ note: 'ASCII' }) : value;
}

export function literal<const T extends string | number>(value: T): z.ZodType<T> {
  return z.literal(value, { error: takes(JSON.stringify(value)) });
}

/** A point in time as JSON holds one. */
export function date(): z.ZodType<Date, string> {
  const error = takes('a date such as "2026-03-01T12:00:00.000Z"');
  return z
    .string({ error })
    .refine((value) => !Number.isNaN(Date.parse(value)), { error })
    .transform((value) => new Date(value));
}

export function list<T>(entry: z.ZodType<T>): z.ZodType<T[]> {
  return z.array(entry, { error: takes('a list') });
}

/**
 * An object with these fields and no others. `what` describes it in words. `missing` is the text of the error
 * if the object is missing.
 */
export function fields<S extends z.ZodRawShape>(
  shape: S,
  what = 'an object',
  missing?: string,
): z.ZodObject<S, z.core.$strict> {
  const names = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys') return unknownName(issue.keys[0], names);
      return issue.input === undefined && missing !== undefined ? missing : takes(what)(issue);
    },
  });
}

/** An object that has these fields and may have others. */
export function atLeast<S extends z.ZodRawShape>(shape: S): z.ZodObject<S> {
  return z.object(shape, { error: takes('an object') });
}

function unknownName(name: string, known: readonly string[]): string {
  const [distance, nearest] = known
    .map((candidate) => [typos(name.toLowerCase(), candidate.toLowerCase()), candidate] as const)
    .reduce((best, next) => (next[0] < best[0] ? next : best), [Number.POSITIVE_INFINITY, ''] as const);
  const list = `here are ${known.join(', ')}`;
  return distance <= TYPOS_MAX ? `is no field; did you mean ${nearest}? T${list}` : `is no field; t${list}`;
}

/** The Levenshtein distance: how many characters to insert, delete or replace. */
function typos(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}
