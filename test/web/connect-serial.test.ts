import { describe, expect, it } from 'vitest';
import type { Port } from '../../firmware-protocol/port.js';
import type { DeviceEvent } from '../../src/driver/reconnect.js';
import { type ConnectSerialOptions, connectSerial, requestSerialPort } from '../../src/web/connect-serial.js';
import { FakeSerial, FakeSerialPort } from '../support/fake-web-serial.js';
import { failure } from '../support/plugged-board.js';
import { diagonalProgram, NONCE } from '../support/test-board.js';
import { UsbHub } from '../support/usb-hub.js';
import { VirtualClock } from '../support/virtual-clock.js';

const PICO = { usbVendorId: 0x2e8a, usbProductId: 0x000a };
const PROGRAM = { ...diagonalProgram(8), noiseAmplitude: 16384, noiseShift: 12 };
const RUN = { bank: 0, runSeed: 3, burnInTicks: 10, sampleCount: 20_000, ticksPerSample: 1 };

/** Writes the bytes that arrive at one port to another port, one write after the other. */
function pour(from: Port, to: Port): void {
  let last: Promise<unknown> = Promise.resolve();
  from.onData((bytes) => {
    const copy = bytes.slice();
    last = last.then(() => to.write(copy)).catch(() => undefined);
  });
}

/** Boards on a hub of a browser, in virtual time. */
class WebHub {
  readonly clock = new VirtualClock();
  readonly serial = new FakeSerial();
  readonly events: string[] = [];
  readonly #hub = new UsbHub(this.clock);

  constructor(...boards: readonly string[]) {
    for (const board of boards) this.#hub.add(board, 'ideal-8', boards.indexOf(board) + 1);
  }

  /** Plugs a board in. A browser sees a new port each time. */
  async plugIn(board: string, info: object = PICO): Promise<FakeSerialPort> {
    const port = new FakeSerialPort(info);
    this.#hub.plugIn(board, `/dev/${board}`);
    const cable = await this.#hub.open(board);
    pour(port.board, cable);
    pour(cable, port.board);
    cable.onClose(() => {
      this.serial.ports = this.serial.ports.filter((other) => other !== port);
      port.unplug();
    });
    this.serial.ports.push(port);
    return port;
  }

  pull(board: string): Promise<void> {
    return this.#hub.pull(board);
  }

  connect(port: FakeSerialPort, options: ConnectSerialOptions = {}) {
    const onEvent = ({ kind }: DeviceEvent): void => {
      if (kind !== 'reconnecting') this.events.push(kind);
    };
    return this.clock.run(
      connectSerial(port, { serial: this.serial, clock: this.clock, nonce: NONCE, onEvent, ...options }),
    );
  }
}

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('a board on Web Serial', () => {
  it('that is pulled out during a run and returns as another port continues, bit for bit', {
    tags: 'long',
  }, async () => {
    const run = async (pulls: number): Promise<Int16Array> => {
      const hub = new WebHub('A');
      const device = await hub.connect(await hub.plugIn('A'));
      await hub.clock.run(device.loadProgram(0, PROGRAM));
      const acquiring = device.acquire({ ...RUN, onLoss: 'reRequest', watchdogMs: 60_000 });
      for (let pull = 0; pull < pulls; pull++) {
        await turns(60);
        await hub.pull('A');
        await hub.clock.run(new Promise<void>((resolve) => void hub.clock.schedule(700, resolve)));
        await hub.plugIn('A');
        await hub.clock.run(new Promise<void>((resolve) => void hub.clock.schedule(3000, resolve)));
      }
      const { codes } = await hub.clock.run(acquiring);
      expect(hub.events).toEqual(Array(pulls).fill(['disconnected', 'resumed']).flat());
      await device.close();
      return codes;
    };
    const [still, disturbed] = [await run(0), await run(2)];
    expect(Buffer.compare(Buffer.from(disturbed.buffer), Buffer.from(still.buffer))).toBe(0);
  });

  it('is distinguished from another board of the same kind by its serial number', async () => {
    const hub = new WebHub('A', 'B');
    const port = await hub.plugIn('A');
    await hub.plugIn('B');
    const device = await hub.connect(port);
    const { serialNumber } = device.identity;
    await hub.pull('A');
    await turns(20);
    // Only the wrong board is there for a while.
    await hub.clock.run(new Promise<void>((resolve) => void hub.clock.schedule(2000, resolve)));
    await hub.plugIn('A');
    expect(await hub.clock.run(device.ping({ timeoutMs: 60_000 }))).toBeGreaterThanOrEqual(0);
    expect(device.identity.serialNumber).toBe(serialNumber);
    expect(hub.events).toEqual(['disconnected', 'resumed']);
    await device.close();
  });

  it('that does not return gives LINK_LOST with advice', async () => {
    const hub = new WebHub('A');
    const device = await hub.connect(await hub.plugIn('A'), { reconnect: { giveUpMs: 1000 } });
    await hub.pull('A');
    expect(await hub.clock.run(failure(device.ping({ timeoutMs: 60_000 })))).toMatchObject({
      code: 'LINK_LOST',
      message: expect.stringContaining('web-serial:2e8a:000a is not plugged in'),
      hint: expect.stringContaining('ask for its port anew'),
    });
    expect(hub.events).toEqual(['disconnected', 'gaveUp']);
  });

  it('is not looked for if the search is switched off', async () => {
    const hub = new WebHub('A');
    const device = await hub.connect(await hub.plugIn('A'), { reconnect: false });
    await hub.pull('A');
    expect(await hub.clock.run(failure(device.ping()))).toMatchObject({ code: 'LINK_LOST' });
    expect(hub.events).toEqual([]);
  });

  it('that does not answer is refused, and its port is closed', async () => {
    const hub = new WebHub();
    const port = new FakeSerialPort();
    port.board.onData(() => undefined);
    expect(await failure(hub.connect(port))).toMatchObject({ code: 'NO_ANSWER' });
    expect(port.closes).toBe(1);
  });
});

describe('asking for a port', () => {
  it.each([
    ['no Web Serial', undefined, { code: 'UNSUPPORTED', hint: expect.stringContaining('emulated board') }],
    ['a user who chooses none', 'NotFoundError', { code: 'PORT_NOT_FOUND', retryable: true }],
    ['a page that may not ask', 'SecurityError', { code: 'PORT_DENIED' }],
  ])('%s', async (_, name, error) => {
    const serial = new FakeSerial();
    if (name !== undefined)
      serial.answer = () => {
        throw new DOMException('no', name);
      };
    await expect(requestSerialPort(name === undefined ? undefined : serial)).rejects.toMatchObject(error);
  });

  it('gives the port that the user chose', async () => {
    const serial = new FakeSerial();
    const port = new FakeSerialPort(PICO);
    serial.answer = () => port;
    expect(await requestSerialPort(serial)).toBe(port);
  });
});
