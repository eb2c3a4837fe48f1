import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { type DecodedItem, type Frame, FrameDecoder } from '../../firmware-protocol/framing.js';
import type { Port } from '../../firmware-protocol/port.js';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import { Device } from '../../src/driver/device.js';
import { ServedDevice } from '../../src/serve/serve-device.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';
import { VirtualClock } from './virtual-clock.js';

export const NONCE = Uint8Array.of(0xa5, 2, 3, 4, 5, 6, 7, 8);

/** Decides the fate of one write. `frame` is the frame in it, or undefined for a bare delimiter. */
export type Tamper = (frame: Frame | undefined, bytes: Uint8Array) => Uint8Array[];

/** A port whose writes pass through `tamper`. */
export function tamperedPort(port: Port, tamper: Tamper): Port {
  return {
    name: port.name,
    frameBytesMax: port.frameBytesMax,
    get closed() {
      return port.closed;
    },
    onData: (receiver) => port.onData(receiver),
    onClose: (receiver) => port.onClose(receiver),
    close: () => port.close(),
    async write(bytes) {
      const items: DecodedItem[] = new FrameDecoder(65536).push(bytes);
      const frame = items[0]?.kind === 'frame' ? items[0].frame : undefined;
      for (const part of tamper(frame, bytes)) await port.write(part);
    },
  };
}

export const pass: Tamper = (_, bytes) => [bytes];

/** An emulated board on a memory port in virtual time. A test may tamper with both directions of the wire. */
export async function openTestBoard(
  profileName: string,
  options: { toDevice?: Tamper; toHost?: Tamper; clock?: VirtualClock; wrap?: (port: Port) => Port } = {},
): Promise<{ device: Device; board: EmulatedDevice; clock: VirtualClock }> {
  const { clock = new VirtualClock(), wrap = (port) => port } = options;
  const [host, far] = memoryPortPair(`test:${profileName}`);
  const board = new EmulatedDevice({ profile: findProfile(profileName)!, dieSeed: 1 });
  new ServedDevice(board, tamperedPort(far, options.toHost ?? pass), { clock, sliceTicksMax: 1024 });
  const device = await clock.run(
    Device.open(wrap(tamperedPort(host, options.toDevice ?? pass)), { clock, nonce: NONCE }),
  );
  return { device, board, clock };
}

/** A dense program of `cells` uncoupled cells with λ = 1 on the diagonal: v = drive. */
export function diagonalProgram(cells: number, driveCode = 1000): ProgramImage {
  const couplings = new Int16Array(cells * cells);
  for (let i = 0; i < cells; i++) couplings[i * cells + i] = 32767;
  return {
    mode: PROGRAM_MODE.dense,
    cells,
    rows: cells,
    couplingBits: 16,
    rowAttenuation: 0,
    couplings,
    drive: new Int16Array(cells).fill(driveCode),
    initialState: new Int16Array(cells),
    damping: 0,
    noiseAmplitude: 0,
    noiseShift: 8,
  };
}
