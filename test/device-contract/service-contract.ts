import { expect, it } from 'vitest';
import { crc32 } from '../../firmware-protocol/crc.js';
import type { Answer } from '../../firmware-protocol/messages/index.js';
import { FEATURE, REFUSAL } from '../../firmware-protocol/messages/system.js';
import type { ContractBoard } from './contract.js';
import { ENDLESS, loaded } from './loaded-board.js';
import type { RawHost } from './raw-host.js';

const RECORD = Uint8Array.from({ length: 300 }, (_, i) => (7 * i) % 256);

/** Features for the maintenance of a board: the kept calibration, sensors, a light, counters. */
export function describeService({ connect, device }: ContractBoard): void {
  const read = async (host: RawHost, firstByte = 0, count = 300): Promise<Answer<'readCalibration'>> => {
    const said = await host.ask('readCalibration', { firstByte, count });
    if (said.name !== 'readCalibration') throw new Error('refused');
    return said.fields;
  };
  const keep = (host: RawHost, record: Uint8Array, digest = crc32(record)) =>
    host.ask('keepCalibration', { length: record.length, crc32: digest });

  it('a calibration record is kept if its digest is right, survives a reset, and can be erased', async () => {
    const host = await connect();
    const { calibrationBytesMax } = await host.hello();
    if (calibrationBytesMax < RECORD.length) {
      const refused = { fields: { reason: REFUSAL.unsupported } };
      if (calibrationBytesMax === 0) {
        expect(await host.ask('readCalibration', { firstByte: 0, count: 1 })).toMatchObject(refused);
        expect(await host.ask('writeCalibration', { firstByte: 0, record: RECORD })).toMatchObject(refused);
        expect(await keep(host, new Uint8Array(0))).toMatchObject(refused);
      }
      return;
    }
    const before = device.onlyOne ? await read(host, 0, 0) : undefined;
    // The record of a user's board is restored.
    if (before !== undefined && before.length > 0) return;
    await host.ask('writeCalibration', { firstByte: 100, record: RECORD.subarray(100) });
    await host.ask('writeCalibration', { firstByte: 0, record: RECORD.subarray(0, 100) });
    expect(await keep(host, RECORD, (crc32(RECORD) ^ 1) >>> 0)).toMatchObject({
      fields: { reason: REFUSAL.digestMismatch },
    });
    expect(await read(host)).toMatchObject({ length: 0, crc32: 0, record: { length: 0 } });
    expect(await keep(host, RECORD)).toMatchObject({ name: 'keepCalibration' });
    await host.ask('reset', {});
    const next = host.port.closed ? await connect() : host;
    await next.hello();
    const kept = await read(next, 0, 400);
    expect(kept).toMatchObject({ length: RECORD.length, crc32: crc32(RECORD) });
    expect(kept.record).toEqual(RECORD);
    expect((await read(next, 290, 100)).record).toEqual(RECORD.subarray(290));
    expect((await read(next, RECORD.length, 1)).record).toHaveLength(0);
    expect(await next.ask('readCalibration', { firstByte: RECORD.length + 1, count: 1 })).toMatchObject({
      fields: { reason: REFUSAL.outOfRange },
    });
    expect(await keep(next, new Uint8Array(0))).toMatchObject({ name: 'keepCalibration' });
    expect(await read(next)).toMatchObject({ length: 0, crc32: 0 });
    const beyond = { firstByte: calibrationBytesMax, record: RECORD.subarray(0, 1) };
    expect(await next.ask('writeCalibration', beyond)).toMatchObject({
      fields: { reason: REFUSAL.outOfRange },
    });
  });

  it('no record is kept during a run', async () => {
    const host = await connect();
    const { calibrationBytesMax } = await loaded(host);
    if (calibrationBytesMax === 0) return;
    await host.ask('start', ENDLESS);
    expect(await keep(host, new Uint8Array(0))).toMatchObject({ fields: { reason: REFUSAL.wrongState } });
  });

  it('sensors have plausible readings, and a board shows itself if HELLO tells the feature identify', async () => {
    const host = await connect();
    const { features } = await host.hello();
    const { fields } = await host.ask('readSensors', {});
    if (!('supplyMillivolts' in fields)) throw new Error('refused');
    const { dieTemperatureMillikelvin } = fields;
    if (dieTemperatureMillikelvin > 0) expect(dieTemperatureMillikelvin).toBeGreaterThan(200_000);
    const showsItself = (features & FEATURE.identify) !== 0;
    expect(await host.ask('identify', { durationMs: 0 })).toMatchObject(
      showsItself ? { name: 'identify' } : { fields: { reason: REFUSAL.unsupported } },
    );
  });

  it('sent naks and valid received naks are counted', async () => {
    const host = await connect();
    await host.hello();
    const counters = async () => {
      const { fields } = await host.ask('readCounters', {});
      if (!('naksSent' in fields)) throw new Error('refused');
      return fields;
    };
    const before = await counters();
    const frames = [1, 2].map((token) => host.command('ping', { token }));
    host.write(frames[1]);
    await host.next((_, { flags }) => flags === 1);
    host.write(frames[0], frames[1]);
    await host.answer<'ping'>(host.requestId);
    host.write(host.frame(1, host.seq, new Uint8Array(0), { flags: 1 }));
    // The board ignores an acknowledgement of a frame that it never sent, and also the nak in the same frame.
    host.write(host.frame(1, host.seq, new Uint8Array(0), { flags: 1, ack: (host.ack + 500) & 0xffff }));
    const after = await counters();
    expect(after.naksSent).toBe(before.naksSent + 1);
    expect(after.naksReceived).toBe(before.naksReceived + 1);
  });
}
