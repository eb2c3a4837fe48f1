import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { findProfile } from '../../emulator/index.js';
import { connect, parseDeviceUri } from '../../src/connect.js';
import { readProfile } from '../../src/serve/profile-file.js';

const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-profile-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: unknown): string {
  const where = path.join(directory, name);
  writeFileSync(where, typeof content === 'string' ? content : JSON.stringify(content));
  return where;
}

const own = { ...findProfile('prototype-8')!, name: 'own-8' };

describe('emulator:file=', () => {
  test('is parsed like every URI', () => {
    expect(parseDeviceUri('emulator:file=a%20board.json?die=3&faults=deadCell:2@50,brownOut@9')).toEqual({
      kind: 'emulator',
      profile: { file: 'a board.json' },
      dieSeed: 3,
      faults: [
        { kind: 'deadCell', cell: 2, atTick: 50 },
        { kind: 'brownOut', atTick: 9 },
      ],
    });
  });

  test.each([
    ['emulator:file=', 'file= needs a path'],
    ['emulator:ideal-8?faults=deadCell', 'KIND[:CELL]@TICK'],
    ['emulator:ideal-8?faults=fire@5', 'deadCell'],
    ['emulator:ideal-8?faults=brownOut:3@5', 'KIND'],
    ['emulator:ideal-8?faults=toString@5', 'KIND'],
  ])('%s is refused with a reason', (uri, reason) => {
    expect(() => parseDeviceUri(uri)).toThrow(
      expect.objectContaining({ code: 'BAD_DEVICE_URI', message: expect.stringContaining(reason) }),
    );
  });

  test('opens a board of the type in the file', async () => {
    const device = await connect(`emulator:file=${file('own.json', own)}?die=3`);
    expect(device.identity).toMatchObject({ model: 'own-8', serialNumber: 'die 3', couplingBits: 12 });
    await device.close();
  });

  test('may begin with a byte order mark, as some editors write one', async () => {
    expect(await readProfile(file('mark.json', `\uFEFF${JSON.stringify(own)}`))).toEqual(own);
  });

  test('a fault of a cell that the board does not have is refused', async () => {
    await expect(connect('emulator:ideal-8?faults=deadCell:8@5')).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringContaining('cells 0 to 7'),
    });
  });

  test.each([
    ['no file', path.join(directory, 'none.json'), /cannot be read: .*ENOENT/],
    ['no JSON', file('text.json', 'cells: 8'), /is not JSON/],
    [
      'a bad field',
      file('bad.json', { ...own, adcBits: 20 }),
      /bad field: adcBits is 20; it takes .* 8 to 16/,
    ],
    ['an unknown field', file('odd.json', { ...own, colour: 'red' }), /bad field: colour is no field/],
    ['an array', file('array.json', []), /is \[\]; it takes an object/],
  ])('refuses %s with an error that names the fault', async (_, where, message) => {
    await expect(readProfile(where)).rejects.toMatchObject({
      code: 'BAD_FILE',
      message: expect.stringMatching(message),
    });
    await expect(connect(`emulator:file=${where}`)).rejects.toMatchObject({ code: 'BAD_FILE' });
  });
});
