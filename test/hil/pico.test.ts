import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/connect.js';
import { Device } from '../../src/driver/device.js';
import {
  almostFullCount,
  checkBootLoader,
  checkCount,
  checkUart,
  checkUsb,
  checkWatchdog,
  emptyFlash,
  epochOfLife,
} from './check-firmware.js';
import { makeMcu, readUf2File } from './firmware.js';
import { life } from './lives.js';
import { PicoChip, readUf2 } from './pico-chip.js';
import { type PluggedIn, plugInUart, plugInUsb } from './pico-port.js';

const CELLS = 64;
const SAMPLES = 40;
const NONCE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

describe('the firmware on a Pico, in rp2040js', () => {
  let usb: Uint8Array;
  let uart: Uint8Array;

  beforeAll(() => {
    usb = readUf2(readUf2File(makeMcu('pico'), 'thermolink-pico.uf2'));
    uart = readUf2(readUf2File(makeMcu('pico-uart'), 'thermolink-pico-uart.uf2'));
  });

  test('is built to the same bytes twice', () => {
    const [first, second] = ['out', 'out-again'].map((out) =>
      readUf2File(makeMcu('pico', [], out), 'thermolink-pico.uf2'),
    );
    expect(first.equals(second)).toBe(true);
  });

  test('over USB: Linux, Windows and macOS find a serial port and use it, and the firmware uses the chip correctly', async () => {
    expect(await checkUsb(usb)).toEqual([]);
  });

  test('over UART', async () => {
    expect(await checkUart(uart)).toEqual([]);
  });

  test('the serial number of a board is the unique number of its flash', () => {
    const texts = ['E66058388349A72C', 'E6605838834B0F31'].map(
      (number) => plugInUsb(new PicoChip(usb, emptyFlash(number))).identity!,
    );
    expect(texts.map(({ texts: [, , serial] }) => serial)).toEqual(['E66058388349A72C', 'E6605838834B0F31']);
    expect(texts[0]).toMatchObject({ vendor: 0x2e8a, product: 0x000a });
    expect(texts[0].texts.slice(0, 2)).toEqual(['thermolink', 'thermolink ideal-64']);
  });

  test('codes, digests and ticks are those of the emulator, and two lives are the same to the instruction', async () => {
    const emulated = await connect('emulator:ideal-64');
    const expected = await life(emulated, CELLS, SAMPLES);
    await emulated.close();
    expect(expected.map(({ outcome }) => outcome)).toEqual(['completed', 'completed', 'completed']);
    const one = async (plugged: PluggedIn) => {
      const { chip, port, clock, run } = plugged;
      const device = await run(Device.open(port, { clock, nonce: NONCE }));
      const told = await run(life(device, CELLS, SAMPLES));
      const sram = createHash('sha256').update(chip.mcu.sram).digest('hex');
      return { told, instructions: chip.instructions, cycles: chip.cycles, nanos: chip.nanos, sram };
    };
    const [first, second] = [
      await one(plugInUsb(new PicoChip(usb))),
      await one(plugInUsb(new PicoChip(usb))),
    ];
    expect(first.told).toEqual(expected);
    expect(second).toEqual(first);
    expect((await one(plugInUart(new PicoChip(uart)))).told).toEqual(expected);
  });

  test('the watchdog is quiet while the firmware works, and restarts a firmware that hangs', () => {
    expect(checkWatchdog(usb)).toEqual([]);
  });

  test('1200 baud lead to the boot loader, and 9600 baud do not', () => {
    expect(checkBootLoader(usb)).toEqual([]);
  });

  test('boot epochs only grow, even if the power is cut while the flash is written', async () => {
    expect(await checkCount(usb)).toEqual([]);
  });

  test('the count of power-ons continues in the other sector', async () => {
    const flash = almostFullCount(2);
    const epochs = [];
    for (let i = 0; i < 4; i++) epochs.push(await epochOfLife(usb, flash));
    const first = 15 * 64 * 32 - 2;
    expect(epochs).toEqual([1, 2, 3, 4].map((i) => (first + i) * 1024));
    expect(flash.erases).toBe(1);
  });
});
