import type { ProfileRule } from './profile-schema.js';

export type Fields = Readonly<Record<string, unknown>>;

/** What is wrong with which field. */
export class Problem extends Error {
  readonly field: string;

  constructor(field: string, problem: string) {
    super(problem);
    this.field = field;
  }
}

export function fieldsOf(field: string, data: unknown, takes = 'an object'): Fields {
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw new Problem(field, `is ${shown(data)}; it takes ${takes}`);
  return data as Fields;
}

export function refuseUnknown(path: string, fields: Fields, known: readonly string[]): void {
  for (const name of Object.keys(fields))
    if (!known.includes(name))
      throw new Problem(`${path}${name}`, `is no field; there are ${known.join(', ')}`);
}

export function checkValue(field: string, value: unknown, rule: ProfileRule): void {
  if (value !== undefined && fits(value, rule)) return;
  const is = value === undefined ? 'is missing' : `is ${shown(value)}`;
  throw new Problem(field, `${is}; it takes ${describe(rule)}`);
}

export function requireThat(holds: boolean, field: string, problem: string): void {
  if (!holds) throw new Problem(field, problem);
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

export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
