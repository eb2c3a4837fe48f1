import { ConsoleLogger, LogLevel, RP2040 } from 'rp2040js';
import { bootRom, type ChipFlash } from './pico-rom.js';

/** A cycle of the core of a Pico at 125 MHz. rp2040js counts cycles for any setting of the clocks. */
const CYCLE_NS = 8;
const FLASH_ADDRESS = 0x10000000;
const UF2_BLOCK_BYTES = 512;
const UF2_MAGICS = [0x0a324655, 0x9e5d5157] as const;
const UF2_LAST_MAGIC = 0x0ab16f30;
const FAMILY_RP2040 = 0xe48bff56;

/** The image of a UF2 file. Errors: throws on a block that the boot loader of an RP2040 would not take. */
export function readUf2(uf2: Buffer): Uint8Array {
  const blocks = uf2.length / UF2_BLOCK_BYTES;
  const image = new Uint8Array(blocks * 256).fill(0xff);
  for (let i = 0; i < blocks; i++) {
    const word = (n: number) => uf2.readUInt32LE(i * UF2_BLOCK_BYTES + 4 * n);
    const [first, second, flags, address, bytes, number, count, family] = [0, 1, 2, 3, 4, 5, 6, 7].map(word);
    if (first !== UF2_MAGICS[0] || second !== UF2_MAGICS[1] || word(127) !== UF2_LAST_MAGIC)
      throw new Error(`block ${i} does not have the marks of a UF2 block`);
    if (!(flags & 0x2000) || family !== FAMILY_RP2040) throw new Error(`block ${i} is not for an RP2040`);
    if (bytes !== 256 || address !== FLASH_ADDRESS + 256 * i || number !== i || count !== blocks)
      throw new Error(`block ${i} of ${blocks} is out of place`);
    const at = i * UF2_BLOCK_BYTES + 32;
    image.set(uf2.subarray(at, at + 256), 256 * i);
  }
  return image;
}

/** Members of the core of rp2040js that `PicoChip` uses. */
interface CoreInternals {
  waiting: boolean;
  pendingInterrupts: number;
  enabledInterrupts: number;
  executeInstruction(): number;
}
interface ClockInternals {
  readonly nanos: number;
  readonly nextAlarm: { readonly nanos: number } | null;
  tick(nanos: number): void;
}

/**
 * A Pico with a firmware, from power-on. Its time is virtual: it passes only in `run`, and cycles of the
 * processor measure it. The same firmware and the same inputs give the same instructions.
 */
export class PicoChip {
  readonly mcu = new RP2040();
  readonly flash: ChipFlash;
  instructions = 0;
  /** Largest number of instructions. After more instructions `run` throws. */
  instructionsMax = Number.POSITIVE_INFINITY;
  cycles = 0;
  /** The time at which the watchdog restarted the chip. The simulation of the firmware ends then. */
  watchdogAtNs: number | undefined;
  /** Whether the firmware went to the boot loader. */
  inBootLoader = false;

  /** `flash` holds the bytes from before this power-on; `image` is written over their beginning. */
  constructor(image: Uint8Array, flash?: ChipFlash) {
    this.flash = flash ?? {
      bytes: new Uint8Array(2 << 20).fill(0xff),
      number: 'E66058388349A72C',
      erases: 0,
    };
    this.flash.bytes.set(image);
    const { mcu } = this;
    // The logger throws on errors on purpose: an access to an address without a peripheral is a bug of the
    // firmware.
    mcu.logger = new ConsoleLogger(LogLevel.Error, true);
    mcu.flash.set(this.flash.bytes);
    mcu.onBreak = bootRom(mcu, this.flash, () => {
      this.inBootLoader = true;
    });
    this.#watch();
  }

  get nanos(): number {
    return this.mcu.clock.nanos;
  }

  /** Lets this much virtual time pass, and returns early if `until` returns true. */
  run(nanos: number, until?: () => boolean): void {
    const core = this.mcu.core as unknown as CoreInternals;
    const clock = this.mcu.clock as unknown as ClockInternals;
    const end = clock.nanos + nanos;
    while (clock.nanos < end && !this.ended) {
      // rp2040js sleeps at WFI although an interrupt is pending, but a real core does not.
      if (core.waiting && core.pendingInterrupts & core.enabledInterrupts) core.waiting = false;
      if (core.waiting) {
        const next = clock.nextAlarm?.nanos ?? end;
        clock.tick(Math.min(next, end) - clock.nanos);
      } else {
        const cycles = core.executeInstruction();
        this.cycles += cycles;
        if (this.instructions++ > this.instructionsMax) throw new Error('the firmware computes without end');
        clock.tick(cycles * CYCLE_NS);
      }
      if (until?.()) return;
    }
    // If the firmware ended (boot loader or watchdog), the rest of the time passes for the host.
    if (clock.nanos < end) clock.tick(end - clock.nanos);
  }

  get ended(): boolean {
    return this.inBootLoader || this.watchdogAtNs !== undefined;
  }

  /** Lets the processor hang with interrupts off, like crashed firmware. */
  crash(): void {
    const place = 0x2003ff00;
    // The instruction `b .`, an endless loop.
    this.mcu.writeUint16(place, 0xe7fe);
    this.mcu.core.PM = true;
    this.mcu.core.PC = place;
    this.mcu.core.waiting = false;
  }

  #watch(): void {
    const watchdog = this.mcu.peripherals[0x40058] as unknown as {
      onWatchdogTrigger: () => void;
      alarm: { enable: boolean };
      timer: { enable: boolean };
    };
    watchdog.onWatchdogTrigger = () => {
      // PSM_WDSEL selects the blocks that the watchdog restarts. The firmware goes on if they do not include
      // the processors and the peripherals.
      const selected = this.mcu.readUint32(0x40010008);
      if ((selected & PROCESSORS_AND_PERIPHERALS) === PROCESSORS_AND_PERIPHERALS)
        this.watchdogAtNs ??= this.nanos;
      watchdog.alarm.enable = false;
      watchdog.timer.enable = false;
    };
  }
}

/** Bits of PSM_WDSEL: the resets of clocks and peripherals, and both processors. */
const PROCESSORS_AND_PERIPHERALS = (1 << 5) | (1 << 15) | (1 << 16);
