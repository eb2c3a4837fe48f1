import type { DieEffects, MeasuredParts } from '../imperfections/table.js';
import type { BoardProfile } from './board-profile.js';
import {
  checkValue,
  type Fields,
  fieldsOf,
  Problem,
  refuseUnknown,
  requireThat,
  shown,
} from './field-checks.js';
import { type ListRule, MEASURED_RULES } from './measured-schema.js';
import { TEXT_MAX } from './profile-schema.js';

/** `measured` of a profile whose other fields are right; a list of the wrong length or out of range is a `Problem`. */
export function parseMeasured(data: unknown, profile: BoardProfile): MeasuredParts {
  const fields = fieldsOf('measured', data);
  refuseUnknown('measured.', fields, ['source', ...Object.keys(MEASURED_RULES)]);
  checkValue('measured.source', fields['source'], { kind: 'text', max: TEXT_MAX });
  for (const [effect, rules] of Object.entries(MEASURED_RULES)) {
    if (fields[effect] === undefined) continue;
    const path = `measured.${effect}`;
    const part = fieldsOf(path, fields[effect]);
    requireThat(
      profile.effects?.[effect as keyof DieEffects] != null,
      path,
      `is given; effects.${effect}, whose draws it replaces, is off`,
    );
    refuseUnknown(`${path}.`, part, Object.keys(rules));
    for (const [name, rule] of Object.entries(rules)) checkList(`${path}.${name}`, part[name], rule, profile);
    if ('cells' in rules) checkNamed(path, part, profile);
  }
  return fields as unknown as MeasuredParts;
}

function checkList(field: string, value: unknown, rule: ListRule, { cells, rows }: BoardProfile): void {
  requireThat(value !== undefined, field, 'is missing; it takes a list');
  if (!Array.isArray(value)) throw new Problem(field, `is ${shown(value)}; it takes a list`);
  const wanted = { cell: cells, crosspoint: rows * cells, named: undefined }[rule.each];
  requireThat(
    wanted === undefined || value.length === wanted,
    field,
    `has ${value.length} entries; it takes one per ${rule.each}, ${wanted}`,
  );
  for (let i = 0; i < value.length; i++) checkValue(`${field}[${i}]`, value[i], rule);
}

/** Some cells, and as many codes. */
function checkNamed(path: string, part: Fields, { cells: count, adcBits }: BoardProfile): void {
  const cells = part['cells'] as readonly number[];
  for (const [i, cell] of cells.entries())
    requireThat(
      cell < count && (i === 0 || cell > cells[i - 1]),
      `${path}.cells[${i}]`,
      `is ${cell}; it takes cells 0 to ${count - 1}, ascending`,
    );
  const codes = part['codes'] as readonly number[] | undefined;
  if (codes === undefined) return;
  requireThat(
    codes.length === cells.length,
    `${path}.codes`,
    `has ${codes.length} entries; it takes one per cell that is named, ${cells.length}`,
  );
  const largest = (1 << (adcBits - 1)) - 1;
  for (const [i, code] of codes.entries())
    requireThat(
      code >= -largest - 1 && code <= largest,
      `${path}.codes[${i}]`,
      `is ${code}; the ADC gives codes from ${-largest - 1} to ${largest}`,
    );
}
