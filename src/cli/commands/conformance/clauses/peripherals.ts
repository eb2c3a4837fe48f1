import { crc32 } from '../../../../../firmware-protocol/crc.js';
import { FEATURE } from '../../../../../firmware-protocol/messages/system.js';
import type { Identity } from '../clause.js';
import { Bench, type Clause, ENDLESS, equal, must } from '../clause.js';

/** A record for boards without a record of their own. */
const RECORD = Uint8Array.from({ length: 40 }, (_, i) => 7 * i + 1);
/** Number of bytes of a frame in addition to the bytes of a record (protocol.md, "Calibration record"). */
const OVERHEAD_BYTES = 36;
/** The sensors of a working board read values within these ranges, mK and mV. */
const TEMPERATURE_RANGE = [200_000, 500_000] as const;
const SUPPLY_RANGE = [100, 60_000] as const;

/** After its answer to reset, a board becomes silent within this time, ms. */
const RESET_MS = 50;

const keepsNone = ({ calibrationBytesMax }: Identity): string | undefined =>
  calibrationBytesMax === 0 ? 'the board keeps no calibration record' : undefined;

/**
 * Number of bytes of a record that one command carries. The board limits it, since this host takes frames of
 * any length.
 */
const chunkBytes = ({ board }: Bench): number => board.frameBytes - 2 * OVERHEAD_BYTES;

/** Reads the whole record of the board. */
async function readRecord(use: Bench): Promise<Uint8Array> {
  const { length } = await use.ask('readCalibration', { firstByte: 0, count: 0 });
  const record = new Uint8Array(length);
  const step = chunkBytes(use);
  for (let at = 0; at < length; at += step) {
    const part = await use.ask('readCalibration', { firstByte: at, count: Math.min(step, length - at) });
    equal(part.record.length, Math.min(step, length - at), 'how many bytes of the record came');
    record.set(part.record, at);
  }
  return record;
}

/** Writes a draft of a record, beginning with its last part. */
async function writeDraft(use: Bench, record: Uint8Array): Promise<void> {
  const step = chunkBytes(use);
  for (let at = Math.floor((record.length - 1) / step) * step; at >= 0; at -= step)
    await use.ask('writeCalibration', { firstByte: at, record: record.subarray(at, at + step) });
}

async function digestIs(use: Bench, record: Uint8Array, when: string): Promise<void> {
  const { length, crc32: digest } = await use.ask('readCalibration', { firstByte: 0, count: 0 });
  equal([length, digest], [record.length, crc32(record)], `length and CRC-32 of the record ${when}`);
}

/**
 * Returns the record of the board. A board without a record first gets `RECORD`, and `isOurs` is then true.
 */
async function lendRecord(use: Bench): Promise<{ record: Uint8Array; isOurs: boolean }> {
  const own = await readRecord(use);
  if (own.length > 0) return { record: own, isOurs: false };
  const record = RECORD.subarray(0, Math.min(RECORD.length, use.board.calibrationBytesMax));
  await writeDraft(use, record);
  await use.ask('keepCalibration', { length: record.length, crc32: crc32(record) });
  return { record, isOurs: true };
}

/**
 * Calls `work` with the record of the board, which no check changes. A board without a record has `RECORD`
 * during the call.
 */
async function withRecord(use: Bench, work: (record: Uint8Array) => Promise<void>): Promise<void> {
  const { record, isOurs } = await lendRecord(use);
  try {
    await work(record);
  } finally {
    if (isOurs) await use.host.ask('keepCalibration', { length: 0, crc32: 0 });
  }
}

/** Parts of a board other than its cells: a calibration record, sensors, a light. */
export const PERIPHERAL_CLAUSES: readonly Clause[] = [
  {
    id: 'CALIBRATION-1',
    what: 'a draft written in any order becomes the record if its CRC-32 is right; otherwise the old record stays',
    skip: keepsNone,
    check: (use) =>
      withRecord(use, async (record) => {
        await writeDraft(
          use,
          Uint8Array.from(record, (byte) => byte ^ 1),
        );
        await use.refused(
          'keepCalibration',
          { length: record.length, crc32: crc32(record) },
          'digestMismatch',
          'a draft with another CRC-32',
        );
        await digestIs(use, record, 'after a draft that was refused');
        await writeDraft(use, record);
        await use.ask('keepCalibration', { length: record.length, crc32: crc32(record) });
        equal(await readRecord(use), record, 'the record that was kept');
      }),
  },
  {
    id: 'CALIBRATION-2',
    what: 'the record survives sessions and resets; length 0 erases it',
    skip: keepsNone,
    async check(use) {
      const { record, isOurs } = await lendRecord(use);
      // `last` is the connection that has a session: after the reset it is a new connection.
      let last = use;
      try {
        await use.host.hello();
        await digestIs(use, record, 'in the next session');
        await use.ask('reset', {});
        await use.host.wait(RESET_MS);
        last = new Bench({ ...use, host: await use.connect() });
        await last.host.hello();
        await digestIs(last, record, 'after a reset');
      } finally {
        if (isOurs) await last.host.ask('keepCalibration', { length: 0, crc32: 0 });
      }
      if (isOurs) await digestIs(last, new Uint8Array(0), 'that was erased');
    },
  },
  {
    id: 'CALIBRATION-3',
    what: 'a read returns at most the requested bytes, with length and CRC-32 of the whole record',
    skip: keepsNone,
    check: (use) =>
      withRecord(use, async (record) => {
        const [length, digest] = [record.length, crc32(record)];
        for (const [firstByte, count, end] of [
          [0, 1, 1],
          [length - 1, 9, length],
          [length, 1, length],
        ])
          equal(
            await use.ask('readCalibration', { firstByte, count }),
            { length, crc32: digest, record: record.subarray(firstByte, end) },
            `the answer to a read of ${count} from byte ${firstByte}`,
          );
      }),
  },
  {
    id: 'CALIBRATION-4',
    what: 'a read beyond the record or longer than a frame, and a draft beyond the longest record, are refused as outOfRange',
    skip: keepsNone,
    async check(use) {
      const { calibrationBytesMax } = use.board;
      const { length } = await use.ask('readCalibration', { firstByte: 0, count: 0 });
      if (length < calibrationBytesMax)
        await use.refused(
          'readCalibration',
          { firstByte: length + 1, count: 1 },
          'outOfRange',
          'a read beyond the record',
        );
      await use.refused(
        'writeCalibration',
        { firstByte: calibrationBytesMax, record: Uint8Array.of(1) },
        'outOfRange',
        'a draft beyond the longest record',
      );
      const room = use.board.frameBytes - OVERHEAD_BYTES;
      // The rest of the check needs a record longer than a frame. It must not replace a record of the user.
      if (length > 0 || calibrationBytesMax <= room) return;
      const long = new Uint8Array(room + 1).fill(1);
      await writeDraft(use, long);
      await use.ask('keepCalibration', { length: long.length, crc32: crc32(long) });
      try {
        const all = { firstByte: 0, count: room + 1 };
        await use.refused('readCalibration', all, 'outOfRange', 'a read of more than fits a frame');
        const { record } = await use.ask('readCalibration', { firstByte: 0, count: room });
        equal(record.length, room, 'how many bytes fit a frame');
      } finally {
        await use.host.ask('keepCalibration', { length: 0, crc32: 0 });
      }
    },
  },
  {
    id: 'CALIBRATION-5',
    what: 'keeping a record is refused during a run',
    skip: keepsNone,
    async check(use) {
      await use.load();
      await use.start(ENDLESS);
      // An empty record has the CRC-32 0. A board refuses 1 also outside a run, so its record can't be lost.
      await use.refused('keepCalibration', { length: 0, crc32: 1 }, 'wrongState', 'a record during a run');
    },
  },
  {
    id: 'CALIBRATION-6',
    what: 'a board that keeps no record refuses all commands for it as unsupported',
    skip: ({ calibrationBytesMax }) =>
      calibrationBytesMax > 0 ? 'the board keeps a calibration record' : undefined,
    async check(use) {
      await use.refused('readCalibration', { firstByte: 0, count: 0 }, 'unsupported', 'a read of no record');
      const record = Uint8Array.of(1);
      await use.refused('writeCalibration', { firstByte: 0, record }, 'unsupported', 'a draft of a record');
      await use.refused('keepCalibration', { length: 0, crc32: 1 }, 'unsupported', 'a record');
    },
  },
  {
    id: 'SENSOR-1',
    what: 'temperature and supply are plausible for a working board, or 0',
    async check(use) {
      const { dieTemperatureMillikelvin, supplyMillivolts } = await use.ask('readSensors', {});
      for (const [value, [low, high], what] of [
        [dieTemperatureMillikelvin, TEMPERATURE_RANGE, 'mK of temperature'],
        [supplyMillivolts, SUPPLY_RANGE, 'mV of supply'],
      ] as const)
        must(value === 0 || (value >= low && value <= high), `no board works at ${value} ${what}`);
    },
  },
  {
    id: 'SENSOR-2',
    what: 'identify is accepted with the feature identify, and unsupported without it',
    async check(use) {
      const command = { durationMs: 0 };
      if ((use.board.features & FEATURE.identify) !== 0) await use.ask('identify', command);
      else await use.refused('identify', command, 'unsupported', 'identify without its feature');
    },
  },
];
