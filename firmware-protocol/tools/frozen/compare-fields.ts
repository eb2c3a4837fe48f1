import type { Edit } from './finding.js';
import type { FrozenField } from './frozen-tables.js';

/** A change in a list of fields. Fields travel by position. */
export interface FieldEdit {
  readonly edit: Edit;
  /** If the edit concerns the whole list, this name is empty. */
  readonly field: string;
  /** Its place in the frozen list. An added field has a place beyond the list. */
  readonly at: number;
  readonly what: string;
}

/** Returns the names that both lists contain, but in a different order. */
export function outOfOrder(before: readonly string[], now: readonly string[]): string[] {
  const common = before.filter((name) => now.includes(name));
  const commonNow = now.filter((name) => before.includes(name));
  return common.filter((name, i) => name !== commonNow[i]);
}

export function compareFields(before: readonly FrozenField[], now: readonly FrozenField[]): FieldEdit[] {
  const oldNames = before.map(({ name }) => name);
  const newNames = now.map(({ name }) => name);
  const edits: FieldEdit[] = [];
  const renamed = new Set<string>();
  before.forEach((field, at) => {
    const { name } = field;
    const same = now.find((other) => other.name === name);
    if (same) {
      edits.push(...compareField(field, same).map((edit) => ({ ...edit, field: name, at })));
      return;
    }
    const inItsPlace = now[at];
    if (inItsPlace && !oldNames.includes(inItsPlace.name) && sameShape(field, inItsPlace)) {
      renamed.add(inItsPlace.name);
      edits.push({ edit: 'field renamed', field: name, at, what: `it is called ${inItsPlace.name} now` });
    } else edits.push({ edit: 'field removed', field: name, at, what: `it was field ${at + 2}` });
  });
  const moved = outOfOrder(oldNames, newNames);
  if (moved.length > 0) {
    const at = Math.min(...moved.map((name) => oldNames.indexOf(name)));
    const what = `${moved.join(', ')} were in this order, now ${newNames.filter((name) => moved.includes(name)).join(', ')}`;
    edits.push({ edit: 'fields reordered', field: '', at, what });
  }
  now.forEach(({ name }, at) => {
    if (oldNames.includes(name) || renamed.has(name)) return;
    const what = `it is field ${at + 2}, of ${before.length} fields before`;
    edits.push({ edit: at < before.length ? 'field inserted' : 'field added', field: name, at, what });
  });
  return edits;
}

function sameShape(a: FrozenField, b: FrozenField): boolean {
  return JSON.stringify({ ...a, name: '' }) === JSON.stringify({ ...b, name: '' });
}

type Change = Pick<FieldEdit, 'edit' | 'what'>;

function compareField(before: FrozenField, now: FrozenField): Change[] {
  if (before.type === 'integer' && now.type === 'integer') {
    const changes = compareRange(before.min, before.max, now.min, now.max, '');
    if (before.unit !== now.unit)
      changes.unshift({ edit: 'unit changed', what: `from ${before.unit} to ${now.unit}` });
    return changes;
  }
  if (before.type === 'bytes' && now.type === 'bytes')
    return compareRange(before.minBytes, before.maxBytes, now.minBytes, now.maxBytes, ' bytes');
  if (before.type === 'text' && now.type === 'text')
    return compareRange(0, before.maxBytes, 0, now.maxBytes, ' bytes');
  if (before.type === 'choice' && now.type === 'choice') return compareChoices(before.choices, now.choices);
  return [{ edit: 'retyped', what: `from ${before.type} to ${now.type}` }];
}

function compareRange(min: number, max: number, newMin: number, newMax: number, unit: string): Change[] {
  const what = `from ${min} … ${max}${unit} to ${newMin} … ${newMax}${unit}`;
  const changes: Change[] = [];
  if (newMin > min || newMax < max) changes.push({ edit: 'range narrowed', what });
  if (newMin < min || newMax > max) changes.push({ edit: 'range widened', what });
  return changes;
}

type Choices = Readonly<Record<string, number>>;

function compareChoices(before: Choices, now: Choices): Change[] {
  const changes: Change[] = [];
  const nameNow = (value: number) => Object.keys(now).find((name) => now[name] === value);
  const renamed = new Set<string>();
  for (const [name, value] of Object.entries(before)) {
    const sameValue = nameNow(value);
    if (Object.hasOwn(now, name)) {
      if (now[name] !== value)
        changes.push({ edit: 'choice renumbered', what: `${name} from ${value} to ${now[name]}` });
    } else if (sameValue !== undefined && !Object.hasOwn(before, sameValue)) {
      renamed.add(sameValue);
      changes.push({ edit: 'choice renamed', what: `${value} was ${name}, now ${sameValue}` });
    } else changes.push({ edit: 'choice removed', what: `${value} ${name}` });
  }
  for (const [name, value] of Object.entries(now))
    if (!Object.hasOwn(before, name) && !renamed.has(name))
      changes.push({ edit: 'choice added', what: `${value} ${name}` });
  const moved = outOfOrder(Object.keys(before), Object.keys(now));
  if (moved.length > 0)
    changes.push({ edit: 'choices reordered', what: `${moved.join(', ')} are in another order` });
  return changes;
}
