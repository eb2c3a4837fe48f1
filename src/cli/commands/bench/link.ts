import { encodeCommand } from '../../../../firmware-protocol/codec.js';
import { CHANNEL, encodeFrame } from '../../../../firmware-protocol/framing.js';
import { FRAME_OVERHEAD_BYTES } from '../../../../firmware-protocol/limits.js';
import { codeBytes } from '../../../../firmware-protocol/program-digest.js';
import { PROGRAM_MODE, type ProgramImage } from '../../../../firmware-protocol/program-image.js';
import type { Device } from '../../../driver/device.js';
import type { DeviceIdentity } from '../../../driver/device-api.js';
import { WRITE_OVERHEAD_BYTES } from '../../../driver/upload.js';
import { percentile } from '../../statistics.js';
import { BareSocket } from './bare-socket.js';
import { benchStop, type StopBench } from './stop.js';

export interface LinkBench extends StopBench {
  /** Code bytes a second from host to board, from defining the program until the last write was answered. */
  readonly uploadBytesPerSecond: number;
  /** Code bytes a second of a sample stream, no tick in between. */
  readonly downloadBytesPerSecond: number;
  /** Bytes on the wire over code bytes, upload. */
  readonly wireOverhead: number;
  /** Longest frame, header and CRC included, that the upload used. */
  readonly frameBytes: number;
  readonly roundTripP50Ms: number;
  readonly roundTripP99Ms: number;
  /** The upload's frames over a loopback socket to a reader that only counts, in the same run; `tcp:` only. */
  readonly bareSocketBytesPerSecond?: number;
  readonly uploadOverBareSocket?: number;
}

const PINGS = 500;
/** Uploads, and rounds over the bare socket, alternate at most this often; the medians count. */
const ROUNDS = 25;
/** A slow line is measured for about this long, but with no fewer rounds. */
const MEASURE_MS = 10_000;
const ROUNDS_MIN = 5;
/** Before that they alternate unmeasured for this long, at least once: both ends compile what they run often. */
const WARM_UP_MS = 3000;
const DOWNLOAD_BYTES = 16e6;

/** Measures a link by what it is used for. No tick passes on the board. */
export async function benchLink(
  device: Device,
  uploadBytes: number,
  compareWithSocket: boolean,
  signal: AbortSignal,
): Promise<LinkBench> {
  const image = benchProgram(device.identity, uploadBytes);
  const bytes = image.couplings.byteLength;
  const tripsMs: number[] = [];
  for (let i = 0; i < PINGS; i++) tripsMs.push(await device.ping({ signal }));
  const bareSocket = compareWithSocket
    ? await BareSocket.open(sameFrames(image, device.payloadBytesMax), signal)
    : undefined;
  const upload: number[] = [];
  const bare: number[] = [];
  let wireBytes = 0;
  const round = async (): Promise<void> => {
    const sentBefore = device.linkCounters.bytesSent;
    const startMs = performance.now();
    await device.uploadCouplings(0, image, { signal, timeoutMs: 60_000 });
    upload.push((bytes / (performance.now() - startMs)) * 1000);
    wireBytes = device.linkCounters.bytesSent - sentBefore;
    if (bareSocket) bare.push(await bareSocket.rate(signal));
  };
  try {
    const warmAtMs = performance.now() + WARM_UP_MS;
    do await round();
    while (performance.now() < warmAtMs);
    upload.length = 0;
    bare.length = 0;
    const endMs = performance.now() + MEASURE_MS;
    while (upload.length < ROUNDS_MIN || (upload.length < ROUNDS && performance.now() < endMs)) await round();
  } finally {
    await bareSocket?.close();
  }
  await device.rewriteProgram(0, image, { signal });
  const downloadBytesPerSecond = await download(device, image.cells, signal);
  const stops = await benchStop(device, image, signal);
  const medianUpload = percentile(upload, 0.5);
  const medianBare = percentile(bare, 0.5);
  return {
    uploadBytesPerSecond: medianUpload,
    downloadBytesPerSecond,
    wireOverhead: wireBytes / bytes,
    frameBytes: device.payloadBytesMax + FRAME_OVERHEAD_BYTES,
    roundTripP50Ms: percentile(tripsMs, 0.5),
    roundTripP99Ms: percentile(tripsMs, 0.99),
    ...stops,
    ...(bareSocket
      ? { bareSocketBytesPerSecond: medianBare, uploadOverBareSocket: medianUpload / medianBare }
      : {}),
  };
}

async function download(device: Device, cells: number, signal: AbortSignal): Promise<number> {
  const sampleCount = Math.max(1, Math.floor(DOWNLOAD_BYTES / (2 * cells)));
  const startMs = performance.now();
  const run = await device.run({
    bank: 0,
    runSeed: 0,
    burnInTicks: 0,
    sampleCount,
    ticksPerSample: 0,
    signal,
  });
  let bytes = 0;
  for await (const block of run.blocks) bytes += block.codes.byteLength;
  return (bytes / (performance.now() - startMs)) * 1000;
}

/** The largest array of couplings of the board's width that it holds, up to `uploadBytes`, filled with codes of every size. */
export function benchProgram(
  { cells, rows, hasFactored, couplingBits }: DeviceIdentity,
  uploadBytes: number,
): ProgramImage {
  const Codes = couplingBits <= 8 ? Int8Array : Int16Array;
  const rowBytes = Codes.BYTES_PER_ELEMENT * cells;
  const arrayRows = hasFactored ? Math.max(1, Math.min(rows, Math.floor(uploadBytes / rowBytes))) : cells;
  const couplings = new Codes(arrayRows * cells);
  // A multiplicative hash: every byte value comes up, as in real couplings.
  for (let i = 0; i < couplings.length; i++) couplings[i] = Math.imul(i, 0x9e3779b1) >> (32 - couplingBits);
  return {
    mode: hasFactored ? PROGRAM_MODE.factored : PROGRAM_MODE.dense,
    cells,
    rows: arrayRows,
    couplingBits,
    rowAttenuation: 0,
    couplings,
    drive: new Int16Array(cells),
    initialState: new Int16Array(cells),
    damping: 0,
    noiseAmplitude: 0,
    noiseShift: 8,
  };
}

/** Frames as the upload sends them. */
export function sameFrames(image: ProgramImage, payloadBytesMax: number): Uint8Array[] {
  const width = image.couplings.BYTES_PER_ELEMENT;
  const bytes = codeBytes(image.couplings);
  const chunk = Math.floor((payloadBytesMax - WRITE_OVERHEAD_BYTES) / width) * width;
  const frames: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += chunk) {
    const fields = { bank: 0, firstEntry: at / width, codes: bytes.subarray(at, at + chunk) };
    const payload = encodeCommand('writeCouplings', 1 + frames.length, fields);
    frames.push(
      encodeFrame({
        channel: CHANNEL.command,
        session: 1,
        flags: 0,
        seq: frames.length & 0xffff,
        ack: 0,
        payload,
      }),
    );
  }
  return frames;
}
