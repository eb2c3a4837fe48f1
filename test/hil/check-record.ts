import { Device } from '../../src/driver/device.js';
import { emptyFlash } from './check-firmware.js';
import { PicoChip } from './pico-chip.js';
import { type PluggedIn, plugInUsb } from './pico-port.js';
import { type ChipFlash, PowerCut } from './pico-rom.js';

/** The size of eight sectors without the page of the header. */
const RECORD_BYTES_MAX = 32512;
const SECTOR_BYTES = 4096;
const PAGE_BYTES = 256;
/** Where in the flash the sectors of the record and of the count of power-ons begin. */
const RECORD_AT = (2 << 20) - 10 * SECTOR_BYTES;
const COUNT_AT = (2 << 20) - 2 * SECTOR_BYTES;
/** Number of bytes that are erased for the new record below. */
const ERASED = 2 * SECTOR_BYTES;

const recordOf = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (seed + i * 7919 + (i >> 3) * 31) & 0xff);

const BEFORE = recordOf(RECORD_BYTES_MAX, 0);
const OLD = recordOf(RECORD_BYTES_MAX, 1);
/** The new record takes two sectors, and its last page is not full. */
const NEW_PAGES = 20;
const NEW = recordOf(NEW_PAGES * PAGE_BYTES - 40, 2);
const HEADER = ERASED + NEW_PAGES * PAGE_BYTES;
/**
 * The numbers of bytes erased or programmed before the power fails: while both sectors are erased, in the
 * pages of the record, in each byte of the header, and after the header.
 */
const CUTS_AFTER_BYTES = [
  ...[0, 1, 8, 300, SECTOR_BYTES, ERASED - 1, ERASED, ERASED + 1, ERASED + PAGE_BYTES, HEADER - 1],
  ...Array.from({ length: 14 }, (_, i) => HEADER + i),
];

const copyOf = (flash: ChipFlash): ChipFlash => ({
  bytes: flash.bytes.slice(),
  number: flash.number,
  erases: 0,
});

/** Starts a chip with this flash, and runs `work` with its device. */
async function lifeWith<T>(
  image: Uint8Array,
  flash: ChipFlash,
  work: (device: Device, plugged: PluggedIn) => Promise<T>,
): Promise<T> {
  const plugged = plugInUsb(new PicoChip(image, flash));
  const device = await plugged.run(Device.open(plugged.port, { clock: plugged.clock }));
  return plugged.run(work(device, plugged));
}

const same = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;

/** The record that the board returns after the next power-on. */
const recordAfter = (image: Uint8Array, flash: ChipFlash): Promise<Uint8Array | undefined> =>
  lifeWith(image, flash, (device) => device.readCalibration());

const keep = (image: Uint8Array, flash: ChipFlash, record: Uint8Array): Promise<void> =>
  lifeWith(image, flash, (device) => device.keepCalibration(record));

/** Writes a record and cuts the power after this many bytes. True if it was cut before the board answered. */
async function keepUntilCut(
  image: Uint8Array,
  flash: ChipFlash,
  record: Uint8Array,
  cutAfterBytes: number,
): Promise<boolean> {
  try {
    await lifeWith(image, flash, (device) => {
      // The board wrote the count of power-ons at its start, so the power is cut while the record is written.
      flash.cutAfterBytes = cutAfterBytes;
      return device.keepCalibration(record);
    });
    return false;
  } catch (error) {
    if (error instanceof PowerCut) return true;
    throw error;
  } finally {
    delete flash.cutAfterBytes;
  }
}

/** Checks that a record survives a power cycle, that length 0 erases it, and that image and count stay. */
export async function checkRecord(image: Uint8Array): Promise<string[]> {
  const findings: string[] = [];
  const flash = emptyFlash();
  const first = await lifeWith(image, flash, async (device) => {
    const { calibrationBytesMax } = device.identity;
    if (calibrationBytesMax !== RECORD_BYTES_MAX) findings.push(`room for ${calibrationBytesMax} bytes`);
    if ((await device.readCalibration()) !== undefined) findings.push('a new flash has a record');
    await device.keepCalibration(BEFORE);
    await device.keepCalibration(OLD);
    return device.readCalibration();
  });
  if (!same(first, OLD)) findings.push('the record differs before the power goes');
  if (!same(await recordAfter(image, flash), OLD)) findings.push('the record differs after a power cycle');
  if (!same(flash.bytes.subarray(0, image.length), image)) findings.push('the image was written');
  if (flash.bytes.subarray(image.length, RECORD_AT).some((byte) => byte !== 0xff))
    findings.push('bytes outside the sectors of the record were written');
  const damaged = copyOf(flash);
  damaged.bytes[COUNT_AT - 1] ^= 1;
  if ((await recordAfter(image, damaged)) !== undefined) findings.push('a damaged record is believed');
  await keep(image, flash, new Uint8Array(0));
  if ((await recordAfter(image, flash)) !== undefined) findings.push('an erased record is back');
  const epoch = await lifeWith(image, flash, (device) => Promise.resolve(device.identity.bootEpoch));
  if (epoch !== 5 * 1024) findings.push(`epoch ${epoch} after five power-ons`);
  return findings;
}

/** Checks that a loss of power while a record is written leaves the old record, the new one, or none. */
export async function checkRecordCuts(image: Uint8Array): Promise<string[]> {
  const findings: string[] = [];
  const kept = emptyFlash();
  await keep(image, kept, OLD);
  let cuts = 0;
  for (const cut of CUTS_AFTER_BYTES) {
    const flash = copyOf(kept);
    const isCut = await keepUntilCut(image, flash, NEW, cut);
    if (isCut) cuts++;
    const found = await recordAfter(image, flash);
    const allowed = isCut ? [undefined, OLD, NEW] : [NEW];
    if (!allowed.some((record) => same(record, found)))
      findings.push(`a cut after ${cut} bytes leaves ${found?.length ?? 0} bytes of neither record`);
  }
  if (cuts !== CUTS_AFTER_BYTES.length) findings.push(`${cuts} of ${CUTS_AFTER_BYTES.length} cuts`);
  // After a loss of power the board takes a record as before.
  const flash = copyOf(kept);
  await keepUntilCut(image, flash, NEW, HEADER + 5);
  await keep(image, flash, NEW);
  if (!same(await recordAfter(image, flash), NEW)) findings.push('no new record can be kept after a cut');
  return findings;
}
