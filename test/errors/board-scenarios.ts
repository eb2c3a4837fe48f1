import { decodeToDevice, decodeToHost, encodeCommand, encodeEvent } from '../../firmware-protocol/codec.js';
import { RUN_OUTCOME } from '../../firmware-protocol/device-status.js';
import { CHANNEL, encodeFrame, type Frame } from '../../firmware-protocol/framing.js';
import { REFUSAL } from '../../firmware-protocol/messages/system.js';
import type { Port } from '../../firmware-protocol/port.js';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import { Device } from '../../src/driver/device.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';
import { diagonalProgram, NONCE, openTestBoard, pass, type Tamper } from '../support/test-board.js';
import { UsbHub } from '../support/usb-hub.js';
import { VirtualClock } from '../support/virtual-clock.js';

const RUN = { bank: 0, runSeed: 1, burnInTicks: 10, sampleCount: 20, ticksPerSample: 3 };
const ENDLESS = { ...RUN, burnInTicks: 1e12 };

/** Opens a device on a peer that is not an emulator. */
export function openOn(peer: (port: Port) => void): Promise<unknown> {
  const clock = new VirtualClock();
  const [host, far] = memoryPortPair('test:peer');
  peer(far);
  return clock.run(Device.open(host, { clock, nonce: NONCE }));
}

/** A peer that answers HELLO with a refusal. */
export function refusing(reason: 'version' | 'busy'): (port: Port) => void {
  const refusal = { nonce: NONCE, major: 7, minor: 0, tableHash: new Uint8Array(8), reason: REFUSAL[reason] };
  const payload = encodeEvent('helloRefused', 0, refusal);
  const frame = encodeFrame({ channel: CHANNEL.open, session: 0, flags: 0, seq: 0, ack: 0, payload });
  return (port) => port.onData((bytes) => (bytes.length > 1 ? void port.write(frame) : undefined));
}

export async function closedDevice(): Promise<unknown> {
  const { device, clock } = await openTestBoard('ideal-8');
  await clock.run(device.close());
  return device.readStatus();
}

/** A board that gets nothing more after it was opened, or whose answers are lost. */
export async function onDeadWire(
  lost: 'toDevice' | 'toHost',
  work: (device: Device) => Promise<unknown>,
): Promise<unknown> {
  let dead = false;
  const tamper: Tamper = (_, bytes) => (dead ? [] : [bytes]);
  const { device, clock } = await openTestBoard('ideal-8', { [lost]: tamper });
  dead = true;
  return clock.run(work(device));
}

/** A board that ends the session while its cable is out. */
export async function forgottenSession(): Promise<unknown> {
  const clock = new VirtualClock();
  const hub = new UsbHub(clock);
  const emulated = hub.add('A', 'ideal-8');
  hub.plugIn('A', '/dev/ttyACM0');
  const device = await clock.run(
    Device.open(await hub.open('A'), { clock, reconnect: { openPort: () => hub.open('A') } }),
  );
  const reading = device.readStatus({ timeoutMs: 20_000 });
  await hub.pull('A');
  emulated.disconnect();
  hub.plugIn('A', '/dev/ttyACM1');
  return clock.run(reading);
}

export async function startAfterStop(): Promise<unknown> {
  const { device, clock } = await openTestBoard('ideal-8');
  await clock.run(device.loadProgram(0, diagonalProgram(8)));
  await clock.run(device.stop());
  return clock.run(device.acquire(RUN));
}

export async function stopDuringRun(): Promise<unknown> {
  const { device, clock } = await openTestBoard('ideal-8');
  await clock.run(device.loadProgram(0, diagonalProgram(8)));
  const acquiring = device.acquire(ENDLESS);
  await clock.run(device.readStatus());
  await clock.run(device.stop());
  return clock.run(acquiring);
}

/** A drive that changes on its way, though every frame arrives with a good CRC. */
export async function alteredUpload(): Promise<unknown> {
  const { device, clock } = await openTestBoard('ideal-8', {
    toDevice: retold((payload) => {
      const message = decodeToDevice(payload);
      if (message.kind !== 'command' || message.name !== 'writeDrive') return payload;
      const codes = message.fields.codes.map((byte) => byte ^ 1);
      return encodeCommand('writeDrive', message.requestId, { ...message.fields, codes });
    }),
  });
  return clock.run(device.loadProgram(0, diagonalProgram(8)));
}

export async function faultDuringRun(): Promise<unknown> {
  const { device, clock } = await openTestBoard('ideal-8', { toHost: everyRunEnds('fault') });
  await clock.run(device.loadProgram(0, diagonalProgram(8)));
  return clock.run(device.acquire(RUN));
}

export async function lostSampleBlock(): Promise<unknown> {
  let blocks = 0;
  const { device, clock } = await openTestBoard('ideal-256', {
    toHost: (frame, bytes) => (frame?.channel === CHANNEL.sample && ++blocks === 2 ? [] : [bytes]),
  });
  await clock.run(device.loadProgram(0, diagonalProgram(256)));
  return clock.run(device.acquire({ ...RUN, sampleCount: 400 }));
}

/** A board that reports an overload at every scale. */
export async function alwaysOverloaded(): Promise<unknown> {
  const { device, clock } = await openTestBoard('ideal-8', { toHost: everyRunEnds('overload') });
  const matrix = { rows: 2, columns: 2, data: Float64Array.of(4, 1, 1, 3) };
  const request = {
    system: { kind: 'dense' as const, matrix, damping: 0 },
    drive: Float64Array.of(1, 2),
    initial: new Float64Array(2),
    time: 1,
  };
  return clock.run(createAnalogSolver(device).relax({ ...request, address: { seed: 1, step: 0, block: 0 } }));
}

/**
 * Passes every payload through `tell`. If `tell` does not change a payload, its frame is not changed either.
 */
function retold(tell: (payload: Uint8Array) => Uint8Array): Tamper {
  return (frame: Frame | undefined, bytes) => {
    if (!frame || frame.payload.length === 0) return pass(frame, bytes);
    const payload = tell(frame.payload);
    return [payload === frame.payload ? bytes : encodeFrame({ ...frame, payload })];
  };
}

function everyRunEnds(outcome: keyof typeof RUN_OUTCOME): Tamper {
  return retold((payload) => {
    const message = decodeToHost(payload);
    if (message.kind !== 'event' || message.name !== 'runEnded') return payload;
    return encodeEvent('runEnded', 0, { ...message.fields, outcome: RUN_OUTCOME[outcome] });
  });
}
