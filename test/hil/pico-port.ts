import type { Clock } from '../../firmware-protocol/clock.js';
import type { Port } from '../../firmware-protocol/port.js';
import { enumerate, type SystemName, type UsbIdentity } from './enumerate.js';
import type { PicoChip } from './pico-chip.js';
import { UsbBus } from './usb-bus.js';

const FRAME_BYTES_MAX = 65536;
const STEP_NS = 100_000;
const START_NS = 20e6;
/** A write of the host waits while the chip has more than this many bytes still to take. */
const OUTGOING_BYTES_MAX = 4096;
const VIRTUAL_MS_MAX = 600_000;

/**
 * A chip whose byte channel a program has opened. The host uses the time of the chip, so nothing waits for
 * real time.
 */
export interface PluggedIn {
  readonly chip: PicoChip;
  readonly port: Port;
  readonly clock: Clock;
  /** Lets the chip run until the promise settles. Computations of the host take no virtual time. */
  readonly run: <T>(promise: Promise<T>) => Promise<T>;
  /** Bytes of the host that the chip has not taken yet. */
  readonly outgoingBytes: () => number;
  /** Opens the byte channel once more: the chip stays as it is. */
  readonly openAgain: () => PluggedIn;
  /** The bus, if the channel is USB. */
  readonly bus?: UsbBus;
  readonly identity?: UsbIdentity;
}

interface Channel {
  onData: (bytes: Uint8Array) => void;
  write(bytes: Uint8Array): void;
  readonly outgoingBytes: number;
}

/** Boots the chip, enumerates it as this system does, and opens its serial port. */
export function plugInUsb(chip: PicoChip, system: SystemName = 'Linux'): PluggedIn {
  const bus = new UsbBus(chip);
  chip.run(START_NS);
  const identity = enumerate(bus, system);
  const open = (): PluggedIn => ({ ...plugIn(chip, bus, 'pico:usb'), bus, identity, openAgain: open });
  return open();
}

export function plugInUart(chip: PicoChip): PluggedIn {
  const channel = uartChannel(chip);
  chip.run(START_NS);
  const open = (): PluggedIn => ({ ...plugIn(chip, channel, 'pico:uart'), openAgain: open });
  return open();
}

function plugIn(chip: PicoChip, channel: Channel, name: string): Omit<PluggedIn, 'openAgain'> {
  let receive: (bytes: Uint8Array) => void = () => undefined;
  let closed = false;
  let onClosed: (reason?: Error) => void = () => undefined;
  channel.onData = (bytes) => {
    if (!closed) receive(bytes);
  };
  const due: (() => void)[] = [];
  const clock: Clock = {
    nowMs: () => chip.nanos / 1e6,
    schedule(delayMs, callback) {
      if (delayMs === Number.POSITIVE_INFINITY) return () => undefined;
      let cancelled = false;
      const alarm = chip.mcu.clock.createAlarm(() => due.push(() => cancelled || callback()));
      alarm.schedule(Math.max(0, delayMs) * 1e6);
      return () => {
        cancelled = true;
        alarm.cancel();
      };
    },
    defer: (callback) => void setImmediate(callback),
  };
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const port: Port = {
    name,
    frameBytesMax: FRAME_BYTES_MAX,
    get closed() {
      return closed;
    },
    onData: (receiver) => (receive = receiver),
    onClose: (receiver) => (onClosed = receiver),
    async write(bytes) {
      if (closed) throw new Error('the port is closed');
      channel.write(bytes.slice());
      while (channel.outgoingBytes > OUTGOING_BYTES_MAX && !closed) await turn();
    },
    close() {
      if (!closed) {
        closed = true;
        onClosed();
      }
      return Promise.resolve();
    },
  };
  async function run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const watched = promise.finally(() => (settled = true));
    watched.catch(() => undefined);
    const endNs = chip.nanos + VIRTUAL_MS_MAX * 1e6;
    while (!settled) {
      if (chip.ended) throw new Error('the firmware ended');
      chip.run(STEP_NS, () => due.length > 0);
      for (let callback = due.shift(); callback; callback = due.shift()) callback();
      await turn();
      if (chip.nanos > endNs) throw new Error(`no result within ${VIRTUAL_MS_MAX} ms of virtual time`);
    }
    return watched;
  }
  return { chip, port, clock, run, outgoingBytes: () => channel.outgoingBytes };
}

/** The line of UART0. A byte to the chip takes the time of ten bits, as on a real line. */
function uartChannel(chip: PicoChip): Channel {
  const uart = chip.mcu.uart[0];
  const { rxFIFO } = uart as unknown as { readonly rxFIFO: { readonly full: boolean } };
  const queue: number[] = [];
  const byteNs = () => 1e10 / uart.baudRate;
  const alarm = chip.mcu.clock.createAlarm(() => {
    const byte = queue.shift();
    // A full queue drops bytes, as on a real line.
    if (byte !== undefined && !rxFIFO.full) uart.feedByte(byte);
    if (queue.length > 0) alarm.schedule(byteNs());
  });
  const channel = {
    onData: (() => undefined) as (bytes: Uint8Array) => void,
    write(bytes: Uint8Array) {
      const idle = queue.length === 0;
      for (const byte of bytes) queue.push(byte);
      if (idle && queue.length > 0) alarm.schedule(byteNs());
    },
    get outgoingBytes() {
      return queue.length;
    },
  };
  uart.onByte = (byte) => channel.onData(Uint8Array.of(byte));
  return channel;
}
