import { beforeAll, describe, expect, test } from 'vitest';
import { decodeToHost } from '../../firmware-protocol/codec.js';
import { FrameDecoder } from '../../firmware-protocol/framing.js';
import { fromHex } from '../support/protocol-vectors.js';
import { make, missingTools, runOnLines, SANITIZED } from './build.js';
import { RandomSession } from './random-session.js';

const missing = missingTools();
const SESSIONS = Number(process.env['SESSIONS'] ?? 100);
const FEW_SESSIONS = Math.min(10, SESSIONS);
const FIRST_SEED = Number(process.env['SEED'] ?? 1);
const STEPS = 120;

/** Not compared: texts for people, the name of the firmware, and a clock that is rounded differently. */
const OWN = { detail: '', firmwareVersion: '', deviceTimeUs: 0 };

/** Frames in the form for the comparison. */
function comparable(line: string): unknown {
  const [name, ...words] = line.split(' ');
  if (name !== 'say') return line;
  return words.map((wire) => {
    const [item] = new FrameDecoder(65536).push(fromHex(wire));
    if (item?.kind !== 'frame') return wire;
    const { payload, ...header } = item.frame;
    if (payload.length === 0) return header;
    const message = decodeToHost(payload);
    if (message.kind === 'bad') return { header, message };
    const { requestId, fields } = message;
    return {
      ...header,
      name: message.name,
      requestId,
      fields: { ...fields, ...OWN },
    };
  });
}

describe.skipIf(missing !== undefined)(`sessions of the C device${missing ? ` (${missing})` : ''}`, () => {
  let program: string;

  beforeAll(() => {
    program = make('thermolink-session', ...SANITIZED);
  });

  test(`${FEW_SESSIONS} random sessions, with mistakes and silences, have the same frames as with the emulator`, () =>
    expectSameAnswers(FEW_SESSIONS));

  test(`${SESSIONS} random sessions have the same frames as with the emulator`, { tags: 'long' }, () =>
    expectSameAnswers(SESSIONS),
  );

  function expectSameAnswers(count: number): void {
    const sessions = Array.from({ length: count }, (_, i) => new RandomSession(FIRST_SEED + i, STEPS));
    const printed = runOnLines(
      program,
      sessions.flatMap(({ orders }) => orders),
    );
    let at = 0;
    const kinds = new Map<string, number>();
    sessions.forEach(({ lines }, i) => {
      const session = `SEED=${FIRST_SEED + i} SESSIONS=1`;
      for (const line of lines) {
        const expected = comparable(line);
        expect({ session, said: comparable(printed[at++]) }).toEqual({ session, said: expected });
        for (const one of Array.isArray(expected) ? expected : [])
          kinds.set(one.name, (kinds.get(one.name) ?? 0) + 1);
      }
    });
    expect(at).toBe(printed.length);
    if (process.env['SHOW']) console.log(kinds);
    expect(kinds.size).toBeGreaterThan(18);
  }
});
