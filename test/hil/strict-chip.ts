import type { RP2040 } from 'rp2040js';

/** Peripherals by the address of their registers, and the bit that holds each in reset (datasheet 2.14). */
const GUARDED: readonly (readonly [base: number, name: string, resetBit: number])[] = [
  [0x4004c, 'ADC', 0],
  [0x40014, 'IO_BANK0', 5],
  [0x4001c, 'PADS_BANK0', 8],
  [0x40028, 'PLL_SYS', 12],
  [0x4002c, 'PLL_USB', 13],
  [0x40050, 'PWM', 14],
  [0x40054, 'TIMER', 21],
  [0x40034, 'UART0', 22],
  [0x50110, 'USB', 24],
];
/** All peripherals except the pins of the flash and their controller. */
const IN_RESET_AFTER_POWER_ON = 0x1ffffff & ~((1 << 6) | (1 << 9) | (1 << 18) | (1 << 19));
const CLOCK_ENABLE = 1 << 11;
const PLL_DOWN = 0b101001;
const TIMER_TICK = 12 | (1 << 9);
const WATCHDOG_LOAD_MAX = 0xffffff;

interface Registers {
  readUint32(offset: number): number;
  writeUint32(offset: number, value: number): void;
  writeUint32Atomic(offset: number, value: number, kind: number): void;
}
interface ResetInternals extends Registers {
  reset: number;
}
interface PllInternals extends Registers {
  readonly pwr: number;
  readonly frequency: number;
}
interface ClockInternals extends Registers {
  readonly periCtrl: number;
  readonly usbCtrl: number;
  readonly adcCtrl: number;
}

/**
 * Records mistakes that rp2040js accepts and a real chip does not: registers of a peripheral in reset, clocks
 * that do not run or have another frequency, a timer without its tick, pins without their function, a
 * watchdog that restarts nothing. Returns the faults found so far; the set grows while the firmware runs.
 */
export function strictChip(mcu: RP2040): Set<string> {
  const faults = new Set<string>();
  const resets = mcu.peripherals[0x4000c] as unknown as ResetInternals;
  const clocks = mcu.clocks as unknown as ClockInternals;
  const pllSys = mcu.pllSys as unknown as PllInternals;
  const pllUsb = mcu.pllUsb as unknown as PllInternals;
  let tick = 0;
  let usbInterrupts = 0;
  resets.reset = IN_RESET_AFTER_POWER_ON;
  const readReset = resets.readUint32.bind(resets);
  resets.readUint32 = (offset) => (offset === 8 ? ~resets.reset & 0x1ffffff : readReset(offset));

  const runs = (pll: PllInternals) => (pll.pwr & PLL_DOWN) === 0;
  const rules: Record<string, (written: boolean, offset: number, value: number) => string | undefined> = {
    TIMER: () => (tick === TIMER_TICK ? undefined : 'its tick is not 1 µs'),
    UART0: (written, offset) => {
      if (!(clocks.periCtrl & CLOCK_ENABLE)) return 'clk_peri does not run';
      const owned = [0, 1].every((n) => (mcu.gpio[n].ctrl & 31) === 2);
      return written && offset === 0 && !owned ? 'its pins do not have the function UART' : undefined;
    },
    USB: (written, offset, value) => {
      if (!(clocks.usbCtrl & CLOCK_ENABLE)) return 'clk_usb does not run';
      if (!runs(pllUsb)) return 'its PLL is down';
      if (pllUsb.frequency !== 48e6) return `its PLL gives ${pllUsb.frequency} Hz`;
      if (written && offset === 0x90) usbInterrupts = value;
      const shown = written && offset === 0x4c && (value & (1 << 16)) !== 0;
      return shown && usbInterrupts === 0 ? 'its pull-up is on before its interrupts' : undefined;
    },
    ADC: () => (clocks.adcCtrl & CLOCK_ENABLE ? undefined : 'clk_adc does not run'),
    PLL_SYS: (written, offset) =>
      written && offset !== 0xc && offset !== 4 && mcu.readUint32(0x40008044) === 2
        ? 'set while clk_sys runs on it'
        : undefined,
  };
  for (const [base, name, bit] of GUARDED) {
    const check = (written: boolean, offset: number, value: number) => {
      if (resets.reset & (1 << bit)) faults.add(`${name}: used in reset`);
      const problem = rules[name]?.(written, offset, value);
      if (problem !== undefined) faults.add(`${name}: ${problem}`);
    };
    const registers = mcu.peripherals[base];
    const [read, write] = [registers.readUint32.bind(registers), registers.writeUint32.bind(registers)];
    registers.readUint32 = (offset) => {
      check(false, offset, 0);
      return read(offset);
    };
    registers.writeUint32 = (offset, value) => {
      check(true, offset, value);
      write(offset, value);
    };
  }

  observe(mcu.peripherals[0x40058], (offset, value) => {
    if (offset === 0x2c) tick = value & 0x3ff;
    if (offset === 4 && value > WATCHDOG_LOAD_MAX) faults.add('WATCHDOG: loaded with more than 24 bits');
    if (offset !== 0 || !(value & (1 << 30))) return;
    if (tick !== TIMER_TICK) faults.add('WATCHDOG: on without its tick');
    if (mcu.readUint32(0x40010008) !== 0x1fffc) faults.add('WATCHDOG: does not restart the whole chip');
  });
  observe(mcu.clocks, (offset, value) => {
    if (offset === 0x30 && (value & 3) === 2 && !(mcu.readUint32(0x40024004) & 0x80000000))
      faults.add('clk_ref: the crystal is not stable');
    if (offset !== 0x3c || !(value & 1)) return;
    if (!runs(pllSys) || resets.reset & (1 << 12)) faults.add('clk_sys: its PLL is down');
    if (pllSys.frequency !== 125e6) faults.add(`clk_sys: its PLL gives ${pllSys.frequency} Hz`);
  });
  // Writes to DPRAM do not go through the peripherals.
  const dpramUpdated = mcu.usbCtrl.DPRAMUpdated.bind(mcu.usbCtrl);
  mcu.usbCtrl.DPRAMUpdated = (offset, value) => {
    if (resets.reset & (1 << 24)) faults.add('USB: its memory is used in reset');
    dpramUpdated(offset, value);
  };
  return faults;
}

function observe(registers: Registers, written: (offset: number, value: number) => void): void {
  const write = registers.writeUint32.bind(registers);
  registers.writeUint32 = (offset, value) => {
    written(offset, value);
    write(offset, value);
  };
}
