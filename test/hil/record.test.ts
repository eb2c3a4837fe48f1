import { beforeAll, describe, expect, test } from 'vitest';
import { checkRecord, checkRecordCuts } from './check-record.js';
import { makeMcu, readUf2File } from './firmware.js';
import { readUf2 } from './pico-chip.js';

describe('a Pico keeps a calibration record in its flash', () => {
  let usb: Uint8Array;

  beforeAll(() => {
    usb = readUf2(readUf2File(makeMcu('pico'), 'thermolink-pico.uf2'));
  });

  test('the record is the same after a power cycle; an erased or damaged record does not count', async () => {
    expect(await checkRecord(usb)).toEqual([]);
  });

  test('a loss of power while a record is written leaves the old record, the new record, or no record', async () => {
    expect(await checkRecordCuts(usb)).toEqual([]);
  });
});
