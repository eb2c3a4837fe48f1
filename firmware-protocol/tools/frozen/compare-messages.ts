import { compareFields, outOfOrder } from './compare-fields.js';
import type { Finding } from './finding.js';
import type { FrozenMessage } from './frozen-tables.js';

const DIRECTIONS = ['toDevice', 'toHost'] as const;

/**
 * Fields of HELLO after this one may change with a new major version. Ends of any two versions must
 * understand the fields up to this one, and all of `helloRefused`.
 */
const LAST_FIELD_FOR_EVER = 'window';

/**
 * Every difference between the frozen messages and the present ones, in the order of the frozen copy.
 * Additions come last.
 */
export function compareMessages(
  before: readonly FrozenMessage[],
  now: readonly FrozenMessage[],
): readonly Finding[] {
  const findings: Finding[] = [];
  const oldNames = before.map(({ name }) => name);
  const newNames = now.map(({ name }) => name);
  const renamed = new Set<string>();
  for (const message of before) {
    const forEver = message.name === 'hello' || message.name === 'helloRefused';
    const same = now.find(({ name }) => name === message.name);
    if (same) {
      findings.push(...compareMessage(message, same, forEver));
      continue;
    }
    const inItsPlace = now.find(({ opcode }) => opcode === message.opcode);
    const where = message.name;
    if (inItsPlace && sameLayout(message, inItsPlace)) {
      renamed.add(inItsPlace.name);
      findings.push({
        edit: 'message renamed',
        where,
        what: `it is called ${inItsPlace.name} now`,
        forEver: false,
      });
    } else
      findings.push({ edit: 'message removed', where, what: `it had opcode ${message.opcode}`, forEver });
  }
  const moved = outOfOrder(oldNames, newNames);
  if (moved.length > 0) {
    const what = `now ${newNames.filter((name) => moved.includes(name)).join(', ')}`;
    findings.push({ edit: 'messages reordered', where: moved.join(', '), what, forEver: false });
  }
  for (const message of now)
    if (!oldNames.includes(message.name) && !renamed.has(message.name)) {
      const what = `opcode ${message.opcode}`;
      findings.push({ edit: 'message added', where: message.name, what, forEver: false });
    }
  return [...findings, ...reusedOpcodes(before, now, renamed)];
}

function sameLayout(a: FrozenMessage, b: FrozenMessage): boolean {
  return JSON.stringify({ ...a, name: '' }) === JSON.stringify({ ...b, name: '' });
}

function directions(message: FrozenMessage): string {
  return DIRECTIONS.filter((direction) => message[direction]).join(' and ');
}

function compareMessage(before: FrozenMessage, now: FrozenMessage, helloOrRefusal: boolean): Finding[] {
  const findings: Finding[] = [];
  const where = before.name;
  const note = (edit: Finding['edit'], from: string | number, to: string | number) => {
    if (from !== to) findings.push({ edit, where, what: `from ${from} to ${to}`, forEver: helloOrRefusal });
  };
  note('renumbered', before.opcode, now.opcode);
  note('channel changed', before.channel, now.channel);
  note('direction changed', directions(before), directions(now));
  note('delivery changed', before.delivery, now.delivery);
  for (const direction of DIRECTIONS) {
    const old = before[direction];
    const fields = now[direction];
    if (!old || !fields) continue;
    const last =
      before.name === 'hello' ? old.findIndex(({ name }) => name === LAST_FIELD_FOR_EVER) : old.length - 1;
    for (const { edit, field, at, what } of compareFields(old, fields)) {
      const place = field ? `${where} ${direction} ${field}` : `${where} ${direction}`;
      findings.push({ edit, where: place, what, forEver: helloOrRefusal && at <= last });
    }
  }
  return findings;
}

/** Messages that have the opcode of another message of the frozen copy. */
function reusedOpcodes(
  before: readonly FrozenMessage[],
  now: readonly FrozenMessage[],
  renamed: ReadonlySet<string>,
): Finding[] {
  return now.flatMap((message): Finding[] => {
    const owner = before.find(({ opcode }) => opcode === message.opcode);
    if (!owner || owner.name === message.name || renamed.has(message.name)) return [];
    const what = `opcode ${message.opcode} was ${owner.name}`;
    return [{ edit: 'opcode reused', where: message.name, what, forEver: owner.opcode === 0 }];
  });
}
