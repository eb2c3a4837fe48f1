import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { MESSAGES } from '../../firmware-protocol/messages/index.js';
import {
  ADDITIONS,
  BREAKING_EDITS,
  breaks,
  describeFinding,
} from '../../firmware-protocol/tools/frozen/finding.js';
import {
  type FrozenTables,
  frozenMessages,
  renderFrozenTables,
} from '../../firmware-protocol/tools/frozen/frozen-tables.js';
import {
  type CurrentTables,
  checkAgainstFrozen,
  recordLine,
  refusalToFreeze,
} from '../../firmware-protocol/tools/frozen/verdict.js';
import { canonicalTables, PROTOCOL_MAJOR, PROTOCOL_MINOR } from '../../firmware-protocol/version.js';
import { ROOT, readRepositoryFile } from '../repository/files.js';
import { DELIBERATE_EDITS, type EditableMessage } from '../support/deliberate-edits.js';

const COPY = 'firmware-protocol/frozen/tables.json';
const frozen: FrozenTables = JSON.parse(readRepositoryFile(COPY));

const current: CurrentTables = {
  major: PROTOCOL_MAJOR,
  minor: PROTOCOL_MINOR,
  tableHash: createHash('sha256').update(canonicalTables()).digest('hex').slice(0, 16),
  messages: frozenMessages(MESSAGES),
};
const RECORD = recordLine(current);

/**
 * A release of the present tables, and the same tables under another version, with an edit or without one.
 */
const released: FrozenTables = {
  about: '',
  label: '1.0',
  decision: 'record.md',
  ...current,
  major: 1,
  minor: 0,
};
const candidate: FrozenTables = { ...released, label: '1.0-rc' };

function edited(
  edit: (messages: EditableMessage[]) => void,
  version: { major: number; minor: number } = { major: 1, minor: 0 },
): CurrentTables {
  const messages = structuredClone(current.messages);
  edit(messages as unknown as EditableMessage[]);
  return { ...version, tableHash: 'another hash', messages };
}

describe('the message tables and their frozen copy (npm run protocol:check)', () => {
  test('agree, and a decision record names the hash', () => {
    const record = existsSync(path.join(ROOT, frozen.decision))
      ? readRepositoryFile(frozen.decision)
      : undefined;
    const verdict = checkAgainstFrozen(frozen, current, record);
    expect(verdict.ok, verdict.text).toBe(true);
  });

  test('the file is identical to the output of the script', () => {
    expect(readRepositoryFile(COPY)).toBe(renderFrozenTables(frozen));
  });
});

describe('every edit has its name', () => {
  test.each(DELIBERATE_EDITS.map((entry) => [entry.title, entry] as const))('%s', (_, { edit, findings }) => {
    const verdict = checkAgainstFrozen(released, edited(edit), RECORD);
    expect(verdict.findings.map((finding) => `${finding.edit}: ${finding.where}`)).toEqual(findings);
    expect(verdict.ok).toBe(false);
    for (const line of findings) expect(verdict.text).toContain(line);
  });

  test('every kind of edit is among the deliberate ones', () => {
    const seen = new Set(
      DELIBERATE_EDITS.flatMap(({ findings }) => findings.map((line) => line.split(':')[0])),
    );
    expect([...seen].sort()).toEqual([...Object.keys(BREAKING_EDITS), ...Object.keys(ADDITIONS)].sort());
  });

  test.each(DELIBERATE_EDITS.map((entry) => [entry.title, entry] as const))(
    '%s: passes under the next minor version if and only if the edit only adds',
    (_, { edit }) => {
      const verdict = checkAgainstFrozen(released, edited(edit, { major: 1, minor: 1 }), RECORD);
      expect(verdict.ok).toBe(!verdict.findings.some(breaks));
    },
  );

  test('a text for people tells the change, why it breaks and the alternative', () => {
    const { findings } = checkAgainstFrozen(
      released,
      edited((messages) => {
        messages.find(({ name }) => name === 'ping')!.opcode = 99;
      }),
      RECORD,
    );
    expect(describeFinding(findings[0])).toBe(
      [
        'renumbered: ping: from 1 to 99',
        '  breaks:  the other end sends and expects the old opcode, and takes the new one for another message',
        '  instead: give it its old opcode back; a new message takes a number that was never used',
      ].join('\n'),
    );
  });
});

const addField = (messages: EditableMessage[]) =>
  messages
    .find(({ name }) => name === 'start')!
    .toDevice!.push({ name: 'later', type: 'integer', unit: '1', min: 0, max: 1 });
const removeField = (messages: EditableMessage[]) =>
  messages.find(({ name }) => name === 'start')!.toDevice!.pop();
const editHello = (messages: EditableMessage[]) => {
  messages.find(({ name }) => name === 'hello')!.toHost![5].name = 'otherWindow';
};
const editRefusal = (messages: EditableMessage[]) => {
  messages.find(({ name }) => name === 'helloRefused')!.opcode = 9;
};
const editIdentity = (messages: EditableMessage[]) => {
  messages.find(({ name }) => name === 'hello')!.toHost!.splice(6);
};

describe('what the version allows', () => {
  const unchanged = (major: number, minor: number): CurrentTables => ({ ...current, major, minor });

  test.each([
    ['a draft, unchanged', candidate, unchanged(1, 0), true],
    ['a draft, only the version raised', candidate, unchanged(1, 1), false],
    [
      'a draft, a field added under the next minor',
      candidate,
      edited(addField, { major: 1, minor: 1 }),
      false,
    ],
    ['a release, unchanged', released, unchanged(1, 0), true],
    ['a release, only the minor raised', released, unchanged(1, 1), true],
    ['a release, the minor lowered', { ...released, minor: 2 }, unchanged(1, 1), false],
    ['a release, a field added under the same minor', released, edited(addField), false],
    [
      'a release, a field removed under the next minor',
      released,
      edited(removeField, { major: 1, minor: 1 }),
      false,
    ],
    [
      'a release, a field removed under the next major',
      released,
      edited(removeField, { major: 2, minor: 0 }),
      true,
    ],
    ['a release, helloRefused changed', released, edited(editRefusal, { major: 2, minor: 0 }), false],
    ['a release, HELLO’s end changed', released, edited(editIdentity, { major: 2, minor: 0 }), true],
    [
      'a release, HELLO’s beginning changed under the next major',
      released,
      edited(editHello, { major: 2, minor: 0 }),
      false,
    ],
  ])('%s', (_, copy, now, ok) => {
    expect(checkAgainstFrozen(copy, now, RECORD)).toMatchObject({ ok });
  });

  test('the record must exist and name the frozen hash; a change of the hash alone is reported', () => {
    expect(checkAgainstFrozen(released, unchanged(1, 0), undefined)).toMatchObject({
      ok: false,
      text: 'the decision record record.md does not exist',
    });
    expect(checkAgainstFrozen(released, unchanged(1, 0), 'Tables: 1.0')).toMatchObject({ ok: false });
    const otherHash = { ...unchanged(1, 0), tableHash: 'another hash' };
    expect(checkAgainstFrozen(released, otherHash, RECORD)).toMatchObject({
      ok: false,
      text: expect.stringContaining('the comparison overlooks something'),
    });
  });
});

describe('writing the copy again (npm run protocol:freeze)', () => {
  const record = (now: CurrentTables) => `Because.\n${recordLine(now)}\n`;
  const broken = edited(removeField);

  test.each([
    ['the first copy, with a record', undefined, broken, '1.0-rc', record(broken), undefined],
    ['a candidate that breaks the frozen version', candidate, broken, '1.0-rc', record(broken), undefined],
    ['a candidate becomes the release', candidate, broken, '1.0', record(broken), undefined],
    ['no record', candidate, broken, '1.0-rc', undefined, 'a decision record is needed'],
    ['a record of other tables', candidate, broken, '1.0-rc', RECORD, 'lacks the line'],
    ['a label of another version', candidate, broken, '1.1', record(broken), 'is not of version 1.0'],
    ['a release that is broken', released, broken, '1.0', record(broken), 'field removed: start toDevice'],
    [
      'a release that is taken back',
      released,
      released,
      '1.0-rc',
      record(released),
      'it cannot become 1.0-rc',
    ],
  ])('%s', (_, before, now, label, text, refusal) => {
    const answer = refusalToFreeze(before, now, label, text);
    if (refusal === undefined) expect(answer).toBeUndefined();
    else expect(answer).toContain(refusal);
  });

  test('a release with additions is frozen under its next minor version', () => {
    const grown = edited(addField, { major: 1, minor: 1 });
    expect(refusalToFreeze(released, grown, '1.1', record(grown))).toBeUndefined();
  });
});
