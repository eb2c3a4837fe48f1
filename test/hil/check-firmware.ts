import { PROGRAM_MODE } from '../../firmware-protocol/program-image.js';
import { Device } from '../../src/driver/device.js';
import { programImage } from '../support/analog-boards.js';
import { enumerate, SYSTEMS, touch1200 } from './enumerate.js';
import { PicoChip } from './pico-chip.js';
import { type PluggedIn, plugInUart, plugInUsb } from './pico-port.js';
import { type ChipFlash, PowerCut } from './pico-rom.js';
import { strictChip } from './strict-chip.js';

const CELLS = 64;
const PACKET_BYTES = 64;
const SECTOR_BYTES = 4096;
const PAGE_BYTES = 256;
const FLASH_BYTES = 2 << 20;
/** Longest time in which the watchdog must restart a firmware that hangs. */
const WATCHDOG_NS_MAX = 2.5e9;
const QUIET_NS = 6e9;
const SETTLE_NS = 1e6;
/** Largest number of instructions of a chip: ten times as many as a check of a working firmware needs. */
const INSTRUCTIONS_MAX = 40e6;

/**
 * The numbers of bytes erased or programmed before the power fails: while a sector is erased, in each byte of
 * its header, after the header, and in the page of the first bit.
 */
const CUTS_AFTER_BYTES = [0, 1, 4095, 4096, 4097, 4098, 4099, 4100, 4101, 4102, 4103, 4104, 4352, 4353];

export const emptyFlash = (number = 'E66058388349A72C'): ChipFlash => ({
  bytes: new Uint8Array(FLASH_BYTES).fill(0xff),
  number,
  erases: 0,
});

/**
 * Boots an image on a chip with the checks of strict-chip.ts, and runs `work` with an open device. Returns
 * the faults that these checks and the bus found.
 */
async function onChip(
  image: Uint8Array,
  plug: (chip: PicoChip) => PluggedIn,
  work: (device: Device, plugged: PluggedIn) => Promise<void>,
): Promise<string[]> {
  const chip = new PicoChip(image);
  chip.instructionsMax = INSTRUCTIONS_MAX;
  const faults = strictChip(chip.mcu);
  const plugged = plug(chip);
  const early = [...faults, ...(plugged.bus?.faults ?? [])];
  if (plugged.identity !== undefined && plugged.identity.texts[2] !== chip.flash.number)
    early.push('the serial number is not that of the flash');
  if (early.length > 0) return early;
  const device = await plugged.run(Device.open(plugged.port, { clock: plugged.clock }));
  await work(device, plugged);
  return [...faults, ...(plugged.bus?.faults ?? [])];
}

/**
 * Sends programs that fill the memory, and then reads blocks of samples of all lengths, so that packets end
 * at every byte.
 */
async function exchange(device: Device, { run, bus, chip }: PluggedIn): Promise<string[]> {
  const findings = new Set<string>();
  const couplings = Int16Array.from({ length: CELLS * CELLS }, (_, i) => ((i * 7919) % 401) - 200);
  await run(device.loadProgram(0, programImage({ mode: PROGRAM_MODE.dense, cells: CELLS, couplings })));
  await run(device.loadProgram(1, programImage({ cells: 1, couplings: Int16Array.of(9000) })));
  for (let sampleCount = 1; sampleCount <= PACKET_BYTES + 8; sampleCount++) {
    const { codes } = await run(
      device.acquire({
        bank: 1,
        runSeed: 1,
        burnInTicks: 0,
        sampleCount,
        ticksPerSample: 1,
        watchdogMs: 60_000,
      }),
    );
    if (codes.length !== sampleCount) findings.add('samples are missing');
    chip.run(SETTLE_NS);
    // A host gives received bytes to its program only after a packet that is not full.
    if (bus?.lastInBytes === PACKET_BYTES) findings.add('a transfer ended with a full packet');
  }
  return [...findings];
}

/** Checks the USB part of the firmware with the requests that each operating system makes. */
export async function checkUsb(image: Uint8Array): Promise<string[]> {
  const findings: string[] = [];
  for (const system of SYSTEMS)
    findings.push(
      ...(await onChip(
        image,
        (chip) => plugInUsb(chip, system),
        async (device, plugged) => {
          findings.push(...(await exchange(device, plugged)));
          const { port, chip, bus } = plugged;
          // One host goes away in the middle of its work, and another host begins.
          bus?.control([0x21, 0x22, 0, 0, 0]);
          const heard = bus?.counters.inBytes;
          chip.run(1e6);
          await port.close();
          if (bus?.counters.inBytes !== heard) findings.push('bytes were sent although the port was closed');
          // A host that starts anew resets the bus of a device that has an address.
          if (bus !== undefined) enumerate(bus, system);
        },
      )),
    );
  return findings;
}

export async function checkUart(image: Uint8Array): Promise<string[]> {
  const findings: string[] = [];
  const faults = await onChip(image, plugInUart, async (device, plugged) => {
    findings.push(...(await exchange(device, plugged)));
    if (device.linkCounters.retransmissions > 0) findings.push('bytes were lost on the way');
  });
  return [...findings, ...faults];
}

/**
 * Checks that the watchdog does not restart a firmware that waits for commands, and that it restarts a
 * firmware that hangs.
 */
export function checkWatchdog(image: Uint8Array): string[] {
  const chip = new PicoChip(image);
  const faults = strictChip(chip.mcu);
  chip.run(QUIET_NS);
  if (chip.watchdogAtNs !== undefined) return [...faults, 'the watchdog restarts a firmware that works'];
  chip.crash();
  const from = chip.nanos;
  chip.run(WATCHDOG_NS_MAX);
  if (chip.watchdogAtNs === undefined) return [...faults, 'no watchdog'];
  return chip.watchdogAtNs - from > WATCHDOG_NS_MAX ? [...faults, 'a slow watchdog'] : [...faults];
}

/** Checks that 1200 baud lead to the boot loader, that 9600 baud do not, and that requests are answered. */
export function checkBootLoader(image: Uint8Array): string[] {
  const chip = new PicoChip(image);
  const { bus } = plugInUsb(chip);
  if (bus === undefined) return [];
  bus.control([0x21, 0x20, 0, 0, 7], Uint8Array.of(0x80, 0x25, 0, 0, 0, 0, 8));
  chip.run(1e8);
  if (chip.inBootLoader) return ['9600 baud lead to the boot loader'];
  touch1200(bus);
  chip.run(1e8);
  return [...bus.faults, ...(chip.inBootLoader ? [] : ['1200 baud do not lead to the boot loader'])];
}

/** Starts a chip with this flash. Returns its boot epoch, or undefined if the power was cut before HELLO. */
export async function epochOfLife(image: Uint8Array, flash: ChipFlash): Promise<number | undefined> {
  const chip = new PicoChip(image, flash);
  try {
    const { port, clock, run } = plugInUsb(chip);
    const device = await run(Device.open(port, { clock }));
    return device.identity.bootEpoch;
  } catch (error) {
    if (error instanceof PowerCut) return undefined;
    throw error;
  }
}

/** A flash in which the sector of the count of power-ons has room for `left` more power-ons. */
export function almostFullCount(left: number): ChipFlash {
  const flash = emptyFlash();
  const view = new DataView(flash.bytes.buffer);
  const sector = FLASH_BYTES - 2 * SECTOR_BYTES;
  view.setUint32(sector, 0, true);
  view.setUint32(sector + 4, 0xffffffff, true);
  flash.bytes.fill(0, sector + PAGE_BYTES, sector + SECTOR_BYTES);
  view.setUint32(sector + SECTOR_BYTES - 4, (0xffffffff << (32 - left)) >>> 0, true);
  return flash;
}

/**
 * Checks that boot epochs only grow, also if the power is lost while the count is written. The count begins
 * in a new flash or at the end of a full sector.
 */
export async function checkCount(image: Uint8Array): Promise<string[]> {
  const findings: string[] = [];
  const undisturbed = [undefined, undefined, undefined];
  for (const [name, flash, cuts] of [
    ['a new flash', emptyFlash(), []],
    ['a new flash, power cuts', emptyFlash(), CUTS_AFTER_BYTES],
    ['a full sector', almostFullCount(1), []],
    ['a full sector, power cuts', almostFullCount(1), CUTS_AFTER_BYTES],
  ] as const) {
    let last = 0;
    for (const cut of [...cuts, ...undisturbed]) {
      if (cut === undefined) delete flash.cutAfterBytes;
      else flash.cutAfterBytes = cut;
      const epoch = await epochOfLife(image, flash);
      if (epoch === undefined) continue;
      if (epoch <= last || epoch % 1024 !== 0) findings.push(`${name}: epoch ${epoch} after ${last}`);
      last = epoch;
    }
    if (last === 0) findings.push(`${name}: no power-on without a cut`);
  }
  return findings;
}
