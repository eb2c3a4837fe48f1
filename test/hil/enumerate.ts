import type { Setup, UsbBus } from './usb-bus.js';

export const SYSTEMS = ['Linux', 'Windows', 'macOS'] as const;
export type SystemName = (typeof SYSTEMS)[number];

/** The facts that a host learns about a device before a program opens it. */
export interface UsbIdentity {
  readonly vendor: number;
  readonly product: number;
  readonly texts: readonly string[];
  readonly endpoints: { readonly in: number; readonly out: number };
}

const DEVICE = 0x100;
const CONFIGURATION = 0x200;
const STRING = 0x300;
const QUALIFIER = 0x600;
const ENGLISH = 0x409;
const ADDRESS = 7;
const DATA_TERMINAL_READY = 3;

/**
 * Makes the requests that a computer with this operating system sends to a new device, in the same order,
 * until a program has opened the serial port. An answer that a real host would not accept becomes a fault of
 * the bus.
 */
export function enumerate(bus: UsbBus, system: SystemName): UsbIdentity {
  const get = (value: number, length: number, index = 0) => bus.control([0x80, 6, value, index, length]);
  const expect = (what: string, wanted: boolean) => {
    if (!wanted) bus.fault(`${system}: ${what}`);
  };
  const text = (number: number, length: number) => {
    const answer = get(STRING | number, length, ENGLISH);
    const good =
      typeof answer !== 'string' &&
      answer[1] === 3 &&
      (answer.length === answer[0] || answer.length === length);
    expect(`string ${number}`, good);
    return good ? Buffer.from(answer.subarray(2)).toString('utf16le') : '';
  };
  const order = (name: string, setup: Setup, data?: Uint8Array) => {
    const answer = bus.control(setup, data);
    expect(name, typeof answer !== 'string');
    return answer;
  };
  const stalled = (name: string, value: number, length: number, index = 0) => {
    expect(`${name} is refused by a stall`, get(value, length, index) === 'stall');
  };

  bus.reset();
  const firstBytes = system === 'macOS' ? 8 : 64;
  const first = get(DEVICE, firstBytes);
  expect(
    'the first device descriptor',
    typeof first !== 'string' && first.length === Math.min(18, firstBytes) && first[7] === 64,
  );
  bus.reset();
  order('SET_ADDRESS', [0, 5, ADDRESS, 0, 0]);
  expect('the address is taken', bus.address === ADDRESS);
  const device = get(DEVICE, 18);
  expect(
    'the device descriptor',
    typeof device !== 'string' && device.length === 18 && device[0] === 18 && device[1] === 1,
  );
  if (typeof device === 'string')
    throw new Error(`${system}: no device descriptor (${bus.faults.join('; ')})`);
  const [vendor, product] = [device[8] | (device[9] << 8), device[10] | (device[11] << 8)];

  if (system !== 'macOS') stalled('the qualifier of a device that is not fast', QUALIFIER, 10);
  const head = get(CONFIGURATION, 9);
  expect('the head of the configuration', typeof head !== 'string' && head.length === 9);
  const total = typeof head === 'string' ? 9 : head[2] | (head[3] << 8);
  const configuration = get(CONFIGURATION, system === 'Windows' ? 255 : total);
  if (typeof configuration === 'string')
    throw new Error(`${system}: no configuration (${bus.faults.join('; ')})`);
  expect('the configuration is as long as it says', configuration.length === total);
  // The answer has the requested length and fills one packet. No empty packet may follow it.
  const cut = get(CONFIGURATION, 64);
  expect('a configuration cut to a packet', typeof cut !== 'string' && cut.length === 64);

  const languages = get(STRING, 255);
  expect('the list of languages', typeof languages !== 'string' && languages.length === 4);
  if (system === 'macOS') for (const number of [1, 2, 3]) text(number, 2);
  const texts = [1, 2, 3].map((number) => text(number, 255));
  if (system === 'Windows') stalled('string EEh', STRING | 0xee, 18);
  const status = bus.control([0x80, 0, 0, 0, 2]);
  expect('GET_STATUS', typeof status !== 'string' && status.length === 2);
  expect('no configuration before it is set', bus.control([0x80, 8, 0, 0, 1])[0] === 0);
  order('SET_CONFIGURATION', [0, 9, 1, 0, 0]);
  expect('the configuration after it was set', bus.control([0x80, 8, 0, 0, 1])[0] === 1);
  const endpoints = bulkEndpoints(configuration);
  bus.startBulk(endpoints);
  openSerialPort(bus, system, endpoints, expect);
  return { vendor, product, texts, endpoints };
}

function openSerialPort(
  bus: UsbBus,
  system: SystemName,
  endpoints: UsbIdentity['endpoints'],
  expect: (what: string, wanted: boolean) => void,
): void {
  const coding = Uint8Array.of(0x00, 0x10, 0x0e, 0x00, 0, 0, 8);
  if (system === 'Windows') {
    const before = bus.control([0xa1, 0x21, 0, 0, 7]);
    expect('GET_LINE_CODING', typeof before !== 'string' && before.length === 7);
  }
  expect('SET_LINE_CODING', typeof bus.control([0x21, 0x20, 0, 0, 7], coding) !== 'string');
  const back = bus.control([0xa1, 0x21, 0, 0, 7]);
  expect('the line coding is what was set', typeof back !== 'string' && Buffer.from(coding).equals(back));
  if (system === 'macOS') {
    // macOS clears the halt of both endpoints when it opens a port, which sets their toggles to DATA0. One
    // packet is sent before, so that the toggle of the OUT endpoint has changed.
    bus.write(Uint8Array.of(0));
    for (let i = 0; i < 20 && bus.outgoingBytes > 0; i++) bus.control([0x80, 0, 0, 0, 2]);
    expect('a byte is taken', bus.outgoingBytes === 0);
    expect('CLEAR_FEATURE in', typeof bus.control([2, 1, 0, 0x80 | endpoints.in, 0]) !== 'string');
    bus.clearToggle(endpoints.in, false);
    expect('CLEAR_FEATURE out', typeof bus.control([2, 1, 0, endpoints.out, 0]) !== 'string');
    bus.clearToggle(endpoints.out, true);
  }
  setOpened(bus, true);
}

/** Sets or clears DTR, the line that tells the device whether a program has the port open. */
export function setOpened(bus: UsbBus, opened: boolean): void {
  const answer = bus.control([0x21, 0x22, opened ? DATA_TERMINAL_READY : 0, 0, 0]);
  if (typeof answer === 'string') bus.fault('SET_CONTROL_LINE_STATE');
}

/** Sets the speed of 1200 baud, at which a board goes to its boot loader. */
export function touch1200(bus: UsbBus): void {
  bus.control([0x21, 0x20, 0, 0, 7], Uint8Array.of(0xb0, 0x04, 0, 0, 0, 0, 8));
}

function bulkEndpoints(configuration: Uint8Array): UsbIdentity['endpoints'] {
  const found = { in: 0, out: 0 };
  for (let at = 0; at < configuration.length; at += configuration[at]) {
    if (configuration[at] === 0) throw new Error('the length of a descriptor is 0');
    if (configuration[at + 1] !== 5 || (configuration[at + 3] & 3) !== 2) continue;
    const address = configuration[at + 2];
    found[address & 0x80 ? 'in' : 'out'] = address & 15;
  }
  return found;
}
