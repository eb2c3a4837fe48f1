import { describe, expect, it } from 'vitest';
import { missingInComments, type Reflection } from './comment-rules.js';

const FUNCTION = 64;
const INTERFACE = 256;
const PROPERTY = 1024;
const NUMBER = { type: 'intrinsic', name: 'number' };
const ARRAY = { type: 'reference', name: 'Float64Array' };
const comment = (text: string) => ({ summary: [{ text }] });

function findings(symbol: Reflection): string[] {
  return missingInComments({
    name: 'all',
    kind: 1,
    children: [{ name: 'entry', kind: 2, children: [symbol] }],
  });
}

function functionThat(says: string, type = NUMBER, parameters: readonly Reflection[] = []): string[] {
  const signature = { name: 'f', kind: 4096, comment: comment(says), type, parameters };
  return findings({ name: 'f', kind: FUNCTION, signatures: [signature] });
}

function memberThat(says: string, name: string, type: object): string[] {
  const member = { name, kind: PROPERTY, comment: comment(says), type };
  return findings({ name: 'T', kind: INTERFACE, comment: comment('A thing.'), children: [member] });
}

describe('a comment is reported as incomplete', () => {
  it.each([
    ['', ['entry.f: no comment', 'entry.f: no word of errors', 'entry.f => result: no unit']],
    ['The speed of a cell.', ['entry.f: no word of errors', 'entry.f => result: no unit']],
    ['The time in ms.', ['entry.f: no word of errors']],
    ['The time in ms. Errors: none.', []],
  ])('function: %j', (text, expected) => {
    expect(functionThat(text)).toEqual([...expected].sort());
  });

  it('arrays that a function takes and returns', () => {
    const taken = [{ name: 'drive', kind: 32768, type: ARRAY }];
    const missing = ['entry.f => result: no shape', 'entry.f(drive): no shape'];
    expect(functionThat('Rounds b. Errors: none.', ARRAY, taken)).toEqual(missing);
    expect(functionThat('Rounds b [N] to codes. Errors: none.', ARRAY, taken)).toEqual([]);
  });

  it.each([
    ['How loud it is.', 'loudness', NUMBER, ['entry.T.loudness: no unit']],
    ['How loud it is, relative.', 'loudness', NUMBER, []],
    ['', 'delayMs', NUMBER, []],
    ['The drive.', 'drive', ARRAY, ['entry.T.drive: no shape']],
    ['The drive, length N.', 'drive', ARRAY, []],
  ])('member: %j %s', (text, name, type, expected) => {
    expect(memberThat(text, name, type)).toEqual(expected);
  });

  it('a member of a type that is written out in place', () => {
    const declaration = {
      name: '__type',
      kind: 65536,
      children: [{ name: 'loudness', kind: PROPERTY, type: NUMBER }],
    };
    expect(memberThat('Its output.', 'output', { type: 'reflection', declaration })).toEqual([
      'entry.T.output.loudness: no unit',
    ]);
  });

  it('an interface without a comment', () => {
    expect(findings({ name: 'T', kind: INTERFACE, children: [] })).toEqual(['entry.T: no comment']);
  });
});
