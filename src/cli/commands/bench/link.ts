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

/** How fast the codes of a program or of samples are sent. All codes are of the same kind. */
interface CodeRates {
  /** Code bytes a second from host to board, from defining the program until the last write was answered. */
  readonly uploadBytesPerSecond: number;
  /** Code bytes a second of a stream of samples without ticks between them. */
  readonly downloadBytesPerSecond: number;
  /** Bytes on the wire of an upload, divided by its code bytes. */
  readonly wireOverhead: number;
}

/** The inherited rates belong to codes that have every value of their width. */
export interface LinkBench extends CodeRates, StopBench {
  /** The rates of codes of which nine in ten are zero, as in the factor of a trained network. */
  readonly mostlyZero: CodeRates;
  /** Longest frame, header and CRC included, that the upload used. */
  readonly frameBytes: number;
  readonly roundTripP50Ms: number;
  readonly roundTripP99Ms: number;
  /**
   * The rate at which the frames of the upload go through a bare loopback socket, to a reader that only
   * counts them. It is measured in the same run, for `tcp:` only.
   */
  readonly bareSocketBytesPerSecond?: number;
  readonly uploadOverBareSocket?: number;
}

/** Kinds of codes to send. The speed of COBS depends on how many codes are zero. */
export type CodeKind = 'everySize' | 'mostlyZero';
const CODE_KINDS: readonly CodeKind[] = ['everySize', 'mostlyZero'];

const PINGS = 500;
/**
 * Largest number of rounds. One round has an upload of each kind and, over `tcp:`, the bare socket. Medians
 * are reported.
 */
const ROUNDS = 25;
/** A slow line is measured for about this time. */
const MEASURE_MS = 10_000;
/** Least number of rounds, also on a slow line. */
const ROUNDS_MIN = 5;
/** How long rounds run that are not measured, so that both ends compile their code. At least one round. */
const WARM_UP_MS = 3000;
/** Largest stream of samples. On a slow line it has the bytes that an upload sends in `DOWNLOAD_MS`. */
const DOWNLOAD_BYTES_MAX = 16e6;
/**
 * Largest number of downloads of one kind, and the time after which no further download begins. The first
 * download counts only if it is the only one.
 */
const DOWNLOADS = 10;
const DOWNLOAD_MS = 1500;

/**
 * Measures a link by uploads, streams of samples, round trips and stops. No tick passes on the board in the
 * first two.
 */
export async function benchLink(
  device: Device,
  uploadBytes: number,
  compareWithSocket: boolean,
  signal: AbortSignal,
): Promise<LinkBench> {
  const images = {
    everySize: benchProgram(device.identity, uploadBytes, 'everySize'),
    mostlyZero: benchProgram(device.identity, uploadBytes, 'mostlyZero'),
  };
  const tripsMs: number[] = [];
  for (let i = 0; i < PINGS; i++) tripsMs.push(await device.ping({ signal }));
  const { uploads, bare } = await measureUploads(device, images, compareWithSocket, signal);
  const ratesOf = async (kind: CodeKind): Promise<CodeRates> => {
    await device.loadProgram(0, images[kind], { signal, timeoutMs: 60_000 });
    const uploadBytesPerSecond = percentile(uploads[kind].rates, 0.5);
    const streamBytes = Math.min(DOWNLOAD_BYTES_MAX, (uploadBytesPerSecond * DOWNLOAD_MS) / 1000);
    const sampleCount = Math.max(1, Math.floor(streamBytes / (2 * images[kind].cells)));
    return {
      uploadBytesPerSecond,
      downloadBytesPerSecond: await measureDownloads(device, sampleCount, signal),
      wireOverhead: uploads[kind].wireBytes / images[kind].couplings.byteLength,
    };
  };
  const mostlyZero = await ratesOf('mostlyZero');
  const everySize = await ratesOf('everySize');
  const stops = await benchStop(device, images.everySize, signal);
  const bareRate = bare && percentile(bare, 0.5);
  return {
    ...everySize,
    mostlyZero,
    frameBytes: device.payloadBytesMax + FRAME_OVERHEAD_BYTES,
    roundTripP50Ms: percentile(tripsMs, 0.5),
    roundTripP99Ms: percentile(tripsMs, 0.99),
    ...stops,
    ...(bareRate === undefined
      ? {}
      : {
          bareSocketBytesPerSecond: bareRate,
          uploadOverBareSocket: everySize.uploadBytesPerSecond / bareRate,
        }),
  };
}

/** Uploads of one kind: bytes per second of each, and bytes on the wire of the last. */
interface Uploads {
  rates: number[];
  wireBytes: number;
}

/**
 * Uploads both kinds of codes in turns. If asked, it also sends the frames of one kind over a bare socket in
 * each round.
 */
async function measureUploads(
  device: Device,
  images: Readonly<Record<CodeKind, ProgramImage>>,
  compareWithSocket: boolean,
  signal: AbortSignal,
): Promise<{ uploads: Readonly<Record<CodeKind, Uploads>>; bare: readonly number[] | undefined }> {
  const bareSocket = compareWithSocket
    ? await BareSocket.open(sameFrames(images.everySize, device.payloadBytesMax), signal)
    : undefined;
  const uploads: Record<CodeKind, Uploads> = {
    everySize: { rates: [], wireBytes: 0 },
    mostlyZero: { rates: [], wireBytes: 0 },
  };
  const bare: number[] = [];
  const round = async (): Promise<void> => {
    for (const kind of CODE_KINDS) {
      const sentBefore = device.linkCounters.bytesSent;
      const startMs = performance.now();
      await device.uploadCouplings(0, images[kind], { signal, timeoutMs: 60_000 });
      const tookMs = performance.now() - startMs;
      uploads[kind].rates.push((images[kind].couplings.byteLength / tookMs) * 1000);
      uploads[kind].wireBytes = device.linkCounters.bytesSent - sentBefore;
    }
    if (bareSocket) bare.push(await bareSocket.rate(signal));
  };
  try {
    const warmAtMs = performance.now() + WARM_UP_MS;
    do await round();
    while (performance.now() < warmAtMs);
    for (const kind of CODE_KINDS) uploads[kind].rates.length = 0;
    bare.length = 0;
    const endMs = performance.now() + MEASURE_MS;
    for (let rounds = 0; rounds < ROUNDS_MIN || (rounds < ROUNDS && performance.now() < endMs); rounds++)
      await round();
  } finally {
    await bareSocket?.close();
  }
  return { uploads, bare: bareSocket && bare };
}

/** Median rate of streams with this number of samples from bank 0. */
async function measureDownloads(device: Device, sampleCount: number, signal: AbortSignal): Promise<number> {
  const rates: number[] = [];
  const endMs = performance.now() + DOWNLOAD_MS;
  do rates.push(await download(device, sampleCount, signal));
  while (rates.length < DOWNLOADS && performance.now() < endMs);
  return percentile(rates.length > 1 ? rates.slice(1) : rates, 0.5);
}

async function download(device: Device, sampleCount: number, signal: AbortSignal): Promise<number> {
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

/**
 * A program with codes of one kind. Its array of couplings is the largest that the board holds, up to
 * `uploadBytes`.
 */
export function benchProgram(
  { cells, rows, hasFactored, couplingBits }: DeviceIdentity,
  uploadBytes: number,
  kind: CodeKind = 'everySize',
): ProgramImage {
  const Codes = couplingBits <= 8 ? Int8Array : Int16Array;
  const rowBytes = Codes.BYTES_PER_ELEMENT * cells;
  const arrayRows = hasFactored ? Math.max(1, Math.min(rows, Math.floor(uploadBytes / rowBytes))) : cells;
  return {
    mode: hasFactored ? PROGRAM_MODE.factored : PROGRAM_MODE.dense,
    cells,
    rows: arrayRows,
    couplingBits,
    rowAttenuation: 0,
    couplings: filled(new Codes(arrayRows * cells), couplingBits, kind),
    drive: new Int16Array(cells),
    initialState: filled(new Int16Array(cells), STATE_BITS, kind),
    damping: 0,
    noiseAmplitude: 0,
    noiseShift: 8,
  };
}

/** Width of the state's codes: within ± V_fs, so that no cell starts at a rail. */
const STATE_BITS = 15;
/**
 * Of this number of pairs of neighbouring codes, one pair has codes other than zero. In a trained factor such
 * codes come in groups of 2 to 7.
 */
const PAIRS_PER_NONZERO = 10;

/**
 * Fills codes by a multiplicative hash. The kind `everySize` has every value of `bits` bits; `mostlyZero` has
 * zeros, and ±1 in one pair of ten.
 */
function filled<Codes extends Int8Array | Int16Array>(codes: Codes, bits: number, kind: CodeKind): Codes {
  for (let i = 0; i < codes.length; i++) {
    const hash = Math.imul(i, 0x9e3779b1);
    if (kind === 'everySize') codes[i] = hash >> (32 - bits);
    else if ((Math.imul(i >> 1, 0x9e3779b1) >>> 0) * PAIRS_PER_NONZERO < 2 ** 32)
      codes[i] = hash < 0 ? -1 : 1;
  }
  return codes;
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
