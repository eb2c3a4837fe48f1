import type { PicoChip } from './pico-chip.js';

const FULL = 1 << 15;
const DATA1 = 1 << 13;
const STALL = 1 << 11;
const AVAILABLE = 1 << 10;
const LENGTH = 0x3ff;
const ENABLE = 2 ** 31;
const PACKET_BYTES = 64;
const SIE_STATUS = 0x50;
const EP_STALL_ARM = 0x68;
const ADDR_ENDP = 0;
const SETUP_PENDING = 1 << 17;
/** Three cycles of the USB clock (48 MHz), in cycles of the core at 125 MHz (datasheet 4.1.2.5.1). */
const SETTLE_CYCLES = 8;
/** The longest wait for each stage of a request. USB 2.0 (9.2.6.4) allows 50 ms for the status stage. */
const CONTROL_NS = 50e6;
/** The length of a bus reset, and the time after it in which a host sends nothing (USB 2.0, 7.1.7.5). */
const RESET_NS = 10e6;
const RECOVERY_NS = 10e6;
/**
 * The time in ns of a transaction with this many data bytes on a full-speed bus. Sync, identifiers, CRC,
 * acknowledgement and turn-around take the time of 14 more bytes.
 */
const transactionNs = (bytes: number): number => Math.ceil((bytes + 14) * 8 * 1.05 * (1000 / 12));
const NAK_NS = transactionNs(0);

export type Setup = readonly [type: number, request: number, value: number, index: number, length: number];

interface UsbInternals {
  readUint32(offset: number): number;
  writeUint32(offset: number, value: number): void;
  DPRAMUpdated(offset: number, value: number): void;
  indicateBufferReady(endpoint: number, out: boolean): void;
  resetDevice(): void;
  sendSetupPacket(packet: Uint8Array): void;
}

/**
 * The host's side of a full-speed bus. It is stricter than the bus of rp2040js: a packet takes time, and it
 * gets a NAK if the firmware gave no buffer. The bus checks data toggles, stalls, addresses and the way in
 * which the firmware hands buffers over. It notes in `faults` what would not work on a wire.
 */
export class UsbBus {
  readonly faults: string[] = [];
  readonly counters = { inBytes: 0, outBytes: 0, naks: 0 };
  onData: (bytes: Uint8Array) => void = () => undefined;
  /** Number of bytes that the device has still to take. */
  outgoingBytes = 0;
  /** Length of the last bulk packet from the device. */
  lastInBytes: number | undefined;
  readonly #chip: PicoChip;
  readonly #usb: UsbInternals;
  readonly #toggles = new Map<string, number>();
  readonly #written = new Map<number, { readonly value: number; readonly atNs: number }>();
  readonly #alarm: { schedule(nanos: number): void };
  readonly #outgoing: Uint8Array[] = [];
  #endpoints: { readonly in: number; readonly out: number } | undefined;
  #turn = false;
  #armed = false;

  constructor(chip: PicoChip) {
    this.#chip = chip;
    this.#usb = chip.mcu.usbCtrl as unknown as UsbInternals;
    this.#alarm = chip.mcu.clock.createAlarm(() => this.#bulk());
    const before = this.#usb.DPRAMUpdated.bind(this.#usb);
    this.#usb.DPRAMUpdated = (offset, value) => {
      // rp2040js must not answer a buffer that is handed over, because this bus does.
      if (!(value & AVAILABLE)) before(offset, value);
      this.#bufferWritten(offset, value);
    };
  }

  get address(): number {
    return this.#usb.readUint32(ADDR_ENDP) & 127;
  }

  /**
   * Checks a write to the control word of a buffer. Before the bit that hands the buffer over is written, the
   * rest of the word must have been there for SETTLE_CYCLES.
   */
  #bufferWritten(offset: number, value: number): void {
    if (offset < 0x80 || offset >= 0x100) return;
    const now = this.#chip.nanos;
    if (value & AVAILABLE) {
      const last = this.#written.get(offset);
      const same = last !== undefined && last.value === (value & ~AVAILABLE);
      if (!same || now - last.atNs < SETTLE_CYCLES * 8)
        this.fault('a buffer was handed over before its control word was settled');
      if (this.#endpoints !== undefined) this.#wake(NAK_NS);
    }
    this.#written.set(offset, { value, atNs: now });
  }

  fault(text: string): void {
    if (!this.faults.includes(text)) this.faults.push(text);
  }

  /** Resets the bus. The device loses its address and its configuration. */
  reset(): void {
    this.#endpoints = undefined;
    this.#toggles.clear();
    this.#outgoing.length = 0;
    this.outgoingBytes = 0;
    this.#usb.resetDevice();
    this.#chip.run(RESET_NS + RECOVERY_NS);
    if (this.address !== 0) this.fault('the device kept its address after a reset');
  }

  /** Starts bulk packets between these endpoints, beginning with DATA0. */
  startBulk(endpoints: { readonly in: number; readonly out: number }): void {
    this.#endpoints = endpoints;
    this.clearToggle(endpoints.in, false);
    this.clearToggle(endpoints.out, true);
    this.#wake(NAK_NS);
  }

  clearToggle(endpoint: number, out: boolean): void {
    this.#toggles.set(`${endpoint}${out}`, 0);
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PACKET_BYTES)
      this.#outgoing.push(bytes.slice(at, at + PACKET_BYTES));
    this.outgoingBytes += bytes.length;
    if (this.#endpoints !== undefined) this.#wake(NAK_NS);
  }

  /**
   * Makes one request. Returns the bytes of its answer (none for a request without an answer), or 'stall', or
   * 'timeout' if the device does not answer a stage in time.
   */
  control(setup: Setup, data?: Uint8Array): Uint8Array | 'stall' | 'timeout' {
    const [type, request, value, index, length] = setup;
    const address = this.address;
    this.#wait(() => !(this.#usb.readUint32(SIE_STATUS) & SETUP_PENDING), 'previous SETUP');
    // The controller always takes a SETUP, which ends a stall of endpoint 0.
    for (const out of [false, true]) this.#setBuffer(0, out, this.#buffer(0, out) & ~(AVAILABLE | STALL));
    this.#usb.writeUint32(EP_STALL_ARM, 0);
    this.#toggles.set('0false', 1).set('0true', 1);
    const words = [value, index, length].flatMap((word) => [word & 255, word >> 8]);
    this.#usb.sendSetupPacket(Uint8Array.of(type, request, ...words));
    this.#chip.run(transactionNs(8));

    if (data !== undefined && data.length > 0) {
      const taken = this.#tokenInTime(0, true, data, setup);
      if (typeof taken === 'string') return taken;
    }
    const bytes: number[] = [];
    if (type & 0x80 && length > 0) {
      for (;;) {
        const packet = this.#tokenInTime(0, false, undefined, setup);
        if (typeof packet === 'string') return packet;
        bytes.push(...packet);
        if (packet.length < PACKET_BYTES || bytes.length >= length) break;
      }
      if (bytes.length > length)
        this.fault(`[${setup.join()}]: ${bytes.length} bytes where ${length} were asked for`);
    }
    const statusIsOut = bytes.length > 0 || (type & 0x80) !== 0;
    this.#toggles.set(`0${statusIsOut}`, 1);
    const status = this.#tokenInTime(0, statusIsOut, new Uint8Array(0), setup, () => {
      if (this.address !== address)
        this.fault('the device took its new address before the end of the request');
    });
    if (typeof status === 'string') return status;
    if (!statusIsOut && status.length > 0)
      this.fault(`[${setup.join()}]: data where the empty packet of the status stage is due`);
    // Gives the firmware time for the interrupt that the status stage causes.
    this.#chip.run(1e5);
    return Uint8Array.from(bytes);
  }

  #wait(done: () => boolean, what: string): void {
    const end = this.#chip.nanos + CONTROL_NS;
    while (!done() && this.#chip.nanos < end) this.#chip.run(NAK_NS);
    if (!done()) this.fault(`the ${what} was not taken in time`);
  }

  #tokenInTime(
    endpoint: number,
    out: boolean,
    data: Uint8Array | undefined,
    setup: Setup,
    before?: () => void,
  ): Uint8Array | 'stall' | 'timeout' {
    for (const end = this.#chip.nanos + CONTROL_NS; this.#chip.nanos < end; this.#chip.run(2 * NAK_NS)) {
      before?.();
      const answer = this.#token(endpoint, out, data);
      if (answer === undefined) continue;
      this.#chip.run(transactionNs(typeof answer === 'string' ? 0 : answer.length));
      return answer;
    }
    this.fault(`[${setup.join()}]: no answer`);
    return 'timeout';
  }

  #buffer(endpoint: number, out: boolean): number {
    return this.#chip.mcu.usbDPRAMView.getUint32(0x80 + 8 * endpoint + (out ? 4 : 0), true);
  }

  #setBuffer(endpoint: number, out: boolean, value: number): void {
    this.#chip.mcu.usbDPRAMView.setUint32(0x80 + 8 * endpoint + (out ? 4 : 0), value >>> 0, true);
  }

  /** Sends one IN or OUT token. Returns the received bytes, 'stall', or undefined for NAK. */
  #token(
    endpoint: number,
    out: boolean,
    data: Uint8Array = new Uint8Array(0),
  ): Uint8Array | 'stall' | undefined {
    const { usbDPRAM, usbDPRAMView } = this.#chip.mcu;
    const buffer = this.#buffer(endpoint, out);
    const armed = this.#usb.readUint32(EP_STALL_ARM) & (out ? 2 : 1);
    // Endpoint 0 stalls only if the stall was armed as well.
    if (buffer & STALL && (endpoint !== 0 || armed)) return 'stall';
    const control = endpoint === 0 ? 0 : usbDPRAMView.getUint32(8 * endpoint + (out ? 4 : 0), true);
    if (!(buffer & AVAILABLE) || (endpoint !== 0 && control < ENABLE)) return undefined;
    const key = `${endpoint}${out}`;
    const name = `endpoint ${endpoint} ${out ? 'out' : 'in'}`;
    const toggle = buffer & DATA1 ? 1 : 0;
    if (toggle !== (this.#toggles.get(key) ?? 0)) this.fault(`${name}: DATA${toggle} where the other is due`);
    this.#toggles.set(key, toggle ^ 1);
    const place = endpoint === 0 ? 0x100 : control & 0xffc0;
    const length = buffer & LENGTH;
    let result = data;
    if (out) {
      if (data.length > length) this.fault(`${name}: ${data.length} bytes for a buffer of ${length}`);
      usbDPRAM.set(data, place);
      this.#setBuffer(endpoint, out, (buffer & ~(AVAILABLE | LENGTH)) | FULL | data.length);
    } else {
      if (!(buffer & FULL)) this.fault(`${name}: handed over, but not marked full`);
      result = usbDPRAM.slice(place, place + length);
      this.#setBuffer(endpoint, out, buffer & ~(AVAILABLE | FULL));
    }
    this.#usb.indicateBufferReady(endpoint, out);
    return result;
  }

  #wake(nanos: number): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#alarm.schedule(nanos);
  }

  /** Moves one packet. The two directions take turns. An idle bus sleeps until either side has data. */
  #bulk(): void {
    this.#armed = false;
    if (this.#endpoints === undefined) return;
    this.#turn = !this.#turn;
    const data = this.#outgoing[0];
    if (this.#turn && data !== undefined) {
      const answer = this.#token(this.#endpoints.out, true, data);
      if (answer === undefined) this.counters.naks++;
      else if (answer !== 'stall') {
        this.#outgoing.shift();
        this.outgoingBytes -= data.length;
        this.counters.outBytes += data.length;
      }
      this.#wake(transactionNs(data.length));
      return;
    }
    const answer = this.#token(this.#endpoints.in, false);
    if (answer === undefined || answer === 'stall') {
      this.counters.naks++;
      if (data !== undefined) this.#wake(NAK_NS);
      return;
    }
    this.counters.inBytes += answer.length;
    this.lastInBytes = answer.length;
    this.#wake(transactionNs(answer.length));
    if (answer.length > 0) this.onData(answer);
  }
}
