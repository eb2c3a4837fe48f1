import type { RP2040 } from 'rp2040js';

/** The serial flash of a board. It keeps its content over restarts of the chip. */
export interface ChipFlash {
  readonly bytes: Uint8Array;
  /** The unique number of the flash, which command 4Bh reads: 16 hexadecimal digits. */
  readonly number: string;
  erases: number;
  /** Cuts the power after this many more bytes of erasing and programming. */
  cutAfterBytes?: number;
}

export class PowerCut extends Error {
  constructor() {
    super('the power was cut');
  }
}

const BOOT2_BYTES = 256;
const BOOT2_PLACE = 0x20041f00;
const LOOKUP_BREAK = 0xff;
const FIRST_BREAK = 0x80;
const SECTOR_BYTES = 4096;
const PAGE_BYTES = 256;
const IO_QSPI = 0x40018;
const SSI = 0x18000;
const OVERRIDE_LOW = 2;

function crcOfBoot2(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc = (crc ^ (byte << 24)) >>> 0;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x80000000 ? 0x04c11db7 : 0)) >>> 0;
  }
  return crc;
}

/** The mode of the flash: it is read in place, or it takes commands. */
type FlashMode = 'unknown' | 'inPlace' | 'commands';

/**
 * Adds the parts of the boot ROM that rp2040js lacks: the check and start of the second stage, and the
 * routines that a firmware looks up by two letters. The code of each routine is a `bkpt` instruction. Returns
 * the handler of `bkpt`, which runs the routine. It throws where the ROM or the flash of a real board would
 * fail.
 */
export function bootRom(mcu: RP2040, flash: ChipFlash, bootLoader: () => void): (code: number) => void {
  let mode: FlashMode = 'inPlace';
  let connected = false;
  const need = (wanted: FlashMode, what: string) => {
    if (mode !== wanted) throw new Error(`flash: ${what} while it is ${mode}`);
  };
  const change = (at: number, value: number) => {
    if (flash.cutAfterBytes !== undefined && flash.cutAfterBytes-- <= 0) throw new PowerCut();
    flash.bytes[at] = value;
    mcu.flash[at] = value;
  };
  const routines: Record<string, (r: Uint32Array) => void> = {
    IF: () => {
      connected = true;
    },
    EX: () => {
      if (!connected) throw new Error('flash: left reading in place before it was connected');
      mode = 'commands';
    },
    RE: ([offset, count]) => {
      need('commands', 'erased');
      if (offset % SECTOR_BYTES || count % SECTOR_BYTES)
        throw new Error('flash: the range to erase is not made of whole sectors');
      flash.erases++;
      for (let i = 0; i < count; i++) change(offset + i, 0xff);
    },
    RP: ([offset, from, count]) => {
      need('commands', 'programmed');
      if (offset % PAGE_BYTES || count % PAGE_BYTES)
        throw new Error('flash: the range to program is not made of whole pages');
      if (from >>> 24 !== 0x20) throw new Error('flash: the bytes to program are not in RAM');
      // Programming can only change bits from 1 to 0.
      for (let i = 0; i < count; i++) change(offset + i, flash.bytes[offset + i] & mcu.readUint8(from + i));
    },
    FC: () => undefined,
    CX: () => {
      mode = 'inPlace';
      connected = false;
    },
    UB: () => bootLoader(),
  };
  const names = Object.keys(routines);
  const rom = new DataView(mcu.bootrom.buffer);
  const place = (i: number) => 0x100 + 4 * i;
  // The code of a routine: the instruction bkpt, and a return.
  const entry = (i: number, code: number) => {
    rom.setUint16(place(i), 0xbe00 + code, true);
    rom.setUint16(place(i) + 2, 0x4770, true);
    return place(i) | 1;
  };
  rom.setUint16(0x14, 0x80, true);
  rom.setUint16(0x18, entry(names.length, LOOKUP_BREAK), true);
  const entries = names.map((_, i) => entry(i, FIRST_BREAK + i));

  flashCommands(mcu, flash, () => need('commands', 'sent a command'));

  // While the flash takes commands, the chip cannot read it in place.
  const { core } = mcu;
  const read = core.readUint32.bind(core);
  core.readUint32 = (address) => {
    if (address >>> 28 === 1 && address < 0x14000000 && mode !== 'inPlace')
      throw new Error(`flash: read at ${address.toString(16)} while it takes commands`);
    return read(address);
  };

  if (crcOfBoot2(mcu.flash.subarray(0, BOOT2_BYTES - 4)) !== mcu.flashView.getUint32(BOOT2_BYTES - 4, true))
    throw new Error('boot: the second stage has a wrong CRC');
  mcu.sram.set(mcu.flash.subarray(0, BOOT2_BYTES), BOOT2_PLACE - 0x20000000);
  core.VTOR = 0;
  core.SP = BOOT2_PLACE;
  core.PC = BOOT2_PLACE;

  return (code) => {
    const r = core.registers;
    if (code === LOOKUP_BREAK) {
      const found = names.indexOf(String.fromCharCode(r[1] & 255, r[1] >> 8));
      if (found < 0) throw new Error('boot ROM: no such routine');
      r[0] = entries[found];
      return;
    }
    const name = names[code - FIRST_BREAK];
    if (name === undefined) throw new Error(`bkpt ${code} at ${core.PC.toString(16)}: the firmware gave up`);
    if (name !== 'UB' && !core.PM) throw new Error(`boot ROM: ${name} with interrupts on`);
    routines[name](r);
  };
}

/** The flash on its serial line: it answers command 4Bh while its select line is held low. */
function flashCommands(mcu: RP2040, flash: ChipFlash, needCommands: () => void): void {
  let selected = false;
  let taken: number[] = [];
  const answers: number[] = [];
  let selectControl = 0;
  const pins = mcu.peripherals[IO_QSPI];
  pins.readUint32 = (offset) => (offset === 0x0c ? selectControl : 0);
  pins.writeUint32 = (offset, value) => {
    if (offset !== 0x0c) return;
    selectControl = value;
    const low = ((value >> 8) & 3) === OVERRIDE_LOW;
    if (low !== selected) taken = [];
    selected = low;
  };
  const ssi = mcu.peripherals[SSI];
  const [readOther, writeOther] = [ssi.readUint32.bind(ssi), ssi.writeUint32.bind(ssi)];
  ssi.readUint32 = (offset) => {
    if (offset === 0x28) return 2 | (answers.length > 0 ? 8 : 0);
    return offset === 0x60 ? (answers.shift() ?? 0) : readOther(offset);
  };
  ssi.writeUint32 = (offset, value) => {
    if (offset !== 0x60) return writeOther(offset, value);
    needCommands();
    if (!selected) throw new Error('flash: a command without its select line');
    taken.push(value & 255);
    const at = taken.length - 6;
    const digits = flash.number.slice(2 * at, 2 * at + 2);
    answers.push(taken[0] === 0x4b && at >= 0 && digits !== '' ? Number.parseInt(digits, 16) : 0xff);
    if (answers.length > 16) throw new Error('flash: the queue of received bytes ran over');
  };
}
