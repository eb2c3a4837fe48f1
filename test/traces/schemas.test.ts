import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { MESSAGES } from '../../firmware-protocol/messages/index.js';
import { compareMessages } from '../../firmware-protocol/tools/frozen/compare-messages.js';
import { breaks, describeFinding } from '../../firmware-protocol/tools/frozen/finding.js';
import {
  type FrozenMessage,
  type FrozenTables,
  frozenMessages,
} from '../../firmware-protocol/tools/frozen/frozen-tables.js';
import { connect } from '../../src/connect.js';
import { messageSchemas } from '../../src/traces/message-json.js';
import { temporaryDirectory } from '../cli/support/temporary-files.js';
import { ROOT, readRepositoryFile } from '../repository/files.js';
import { DELIBERATE_EDITS } from '../support/deliberate-edits.js';
import { differenceOf, messagesOf } from './compare-sessions.js';
import { olderTables } from './older-minor.js';
import { OWN_SESSIONS, recordOwn } from './own-sessions.js';

const OLDER = path.join(ROOT, 'test/traces/older/before-purpose.mcap');
const directory = temporaryDirectory();
const frozen: FrozenTables = JSON.parse(readRepositoryFile('firmware-protocol/frozen/tables.json'));
const today = frozenMessages(MESSAGES);

/** The reasons why `newer` tables can't read recordings that were made with `older` ones. */
function unreadable(older: readonly FrozenMessage[], newer: readonly FrozenMessage[]): string[] {
  return compareMessages(older, newer)
    .filter(breaks)
    .map((finding) => `Recordings made before can't be read any more: ${describeFinding(finding)}`);
}

describe('recordings of earlier versions', () => {
  it.each([
    ['the frozen one', frozen.messages],
    ['an earlier minor', olderTables(frozen)],
  ])('every message and field of %s exists today', (_, older) => {
    expect(unreadable(older, today)).toEqual([]);
    const schemas = messageSchemas();
    const missing: string[] = [];
    for (const { name, delivery, toDevice, toHost } of older)
      for (const [direction, fields] of Object.entries({ toDevice, toHost })) {
        const kind = delivery === 'event' ? 'event' : direction === 'toDevice' ? 'command' : 'answer';
        const schema = schemas.get(`/messages/${name}/${kind}`) as
          | { properties: { fields: { properties: object } } }
          | undefined;
        const shown = Object.keys(schema?.properties.fields.properties ?? {});
        // The codes of a block are described by their statistics.
        for (const field of fields ?? [])
          if (!shown.includes(field.name) && !(name === 'sampleBlock' && field.name === 'codes'))
            missing.push(`${name} ${kind} ${field.name}`);
      }
    expect(missing, 'message and field have no place in the JSON schemas').toEqual([]);
  });

  it.each(DELIBERATE_EDITS.map((entry) => [entry.title, entry] as const))(
    'the edit "%s" is reported by message and field if it breaks them',
    (_, { edit, findings }) => {
      const messages = structuredClone(today);
      edit(messages as never);
      const told = unreadable(today, messages);
      const breaking = compareMessages(today, messages).filter(breaks);
      expect(told).toHaveLength(breaking.length);
      for (const { where } of breaking) {
        expect(told.join('\n')).toContain(where);
        expect(findings.join('\n')).toContain(where);
      }
    },
  );

  it('an earlier one has the same messages, with the default of the missing field', async () => {
    const session = OWN_SESSIONS.find(({ name }) => name === 'ideal-factored')!;
    const file = path.join(directory, 'today.mcap');
    await recordOwn(session, file);
    const [older, now] = [await messagesOf(OLDER), await messagesOf(file)];
    expect(differenceOf(older, now)).toBeUndefined();
    const hello = older.find(({ name, kind }) => name === 'hello' && kind === 'command')!;
    const hello1 = now.find(({ name, kind }) => name === 'hello' && kind === 'command')!;
    expect(hello.fields['purpose']).toBe(0);
    expect(hello.payloadBytes).toBe(hello1.payloadBytes - 1);
  });

  it('an earlier one can be replayed', async () => {
    const session = OWN_SESSIONS.find(({ name }) => name === 'ideal-factored')!;
    const device = await connect(`replay:${OLDER}`);
    await session.work(device, (promise) => promise);
    await device.close();
  });
});
