import { type DeviceStateName, deviceStateName } from '../../firmware-protocol/device-status.js';
import type { Answer } from '../../firmware-protocol/messages/index.js';
import { FAULT } from '../../firmware-protocol/messages/system.js';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';

/** What HELLO tells of a board; codes become volts and seconds from these alone. */
export interface DeviceIdentity {
  readonly model: string;
  readonly serialNumber: string;
  readonly firmwareVersion: string;
  readonly bootEpoch: number;
  readonly cells: number;
  /** Rows of the factored coupling array; 0 when the board has none. */
  readonly rows: number;
  readonly banks: number;
  readonly couplingBits: number;
  readonly driveBits: number;
  readonly adcBits: number;
  /** τ = RC. */
  readonly tauNs: number;
  /** k: one tick is 2⁻ᵏ τ. */
  readonly tickLog2: number;
  readonly fullScaleMicrovolts: number;
  /** In LSB of a cell voltage, V_fs = 2²⁴. */
  readonly rail: number;
  /** R: a full drive code is ±R · V_fs · G_fs. */
  readonly driveRange: number;
  readonly noiseShiftMin: number;
  readonly noiseShiftMax: number;
  /** Smallest noise temperature at which a standard error means something, in 10⁻¹² V_fs². */
  readonly noiseTemperatureMin: number;
  /** Largest m · 2^ρ. */
  readonly rowScaleMax: number;
  readonly hasDense: boolean;
  readonly hasFactored: boolean;
  readonly hasHold: boolean;
  /** Sent blocks that the board can keep for `reRequest`; 0: it cannot. */
  readonly keepBlocksMax: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Deadline of the whole call; each call has a default. */
  readonly timeoutMs?: number;
}

/** What a commit answers. */
export interface CommitReport {
  /** Effective coupling codes that had to be clamped. */
  readonly clampedCouplings: number;
  readonly clampedNoiseCodes: number;
  /** Smallest and largest effective noise code a_i; κ follows from them. */
  readonly noiseCodeMin: number;
  readonly noiseCodeMax: number;
}

/** Half-open range of sample indices. */
export interface SampleRange {
  readonly from: number;
  readonly to: number;
}

/**
 * What becomes of samples that do not arrive. `fail`: the stream throws SAMPLES_LOST at the gap. `mark`: it goes on and the
 * ranges are listed. `reRequest`: the board keeps blocks until the host has them, and sends lost ones again.
 */
export type LossPolicy = 'fail' | 'mark' | 'reRequest';

/**
 * `timeoutMs` bounds the whole run; without it there is no such bound, but a board that falls silent is found out within
 * seconds.
 */
export interface RunOptions extends CallOptions {
  readonly bank: number;
  /** u32; names the noise together with the die seed and the tick. */
  readonly runSeed: number;
  /** Tick of the first step; default 0. */
  readonly firstTick?: number;
  readonly burnInTicks: number;
  readonly sampleCount: number;
  /** Sample i is read when burnInTicks + i·ticksPerSample ticks are done. */
  readonly ticksPerSample: number;
  /** Start from where the last run ended instead of from the program's initial state. Default false. */
  readonly keepState?: boolean;
  /** `halt` (default): stop after exactly the tick of the first flag. `mark`: go on and flag the blocks. */
  readonly onOverload?: 'halt' | 'mark';
  /** Default `fail`. */
  readonly onLoss?: LossPolicy;
  /**
   * When the host does not keep up. `hold`: no tick passes until it does; the default where the board can. `lose`: samples
   * are skipped and counted; then `onLoss` says what becomes of them.
   */
  readonly onNoCredit?: 'hold' | 'lose';
  readonly watchdogMs?: number;
}

/** Consecutive ADC readings of some cells: entry (s, c) is sample `firstSample + s` of cell `firstCell + c`. */
export interface SampleBlock {
  readonly runId: number;
  readonly firstSample: number;
  readonly sampleCount: number;
  readonly firstCell: number;
  readonly cellCount: number;
  /** Tick at which the first sample of the block was read. */
  readonly tick: number;
  readonly overload: boolean;
  readonly clipped: boolean;
  /** sampleCount × cellCount ADC codes, row-major. */
  readonly codes: Int16Array;
}

export type RunOutcome = 'completed' | 'overload' | 'aborted' | 'stopped' | 'watchdog' | 'fault';

export interface RunReport {
  readonly runId: number;
  readonly outcome: RunOutcome;
  readonly ticksDone: number;
  readonly samplesTaken: number;
  /** Samples the device itself counts as not sent (policy `lose`). */
  readonly samplesLost: number;
  /** First cells, and first rows, whose flag was set (at most 32 each), and how many there were. */
  readonly overloadedCells: readonly number[];
  readonly overloadedCellCount: number;
  readonly overloadedRows: readonly number[];
  readonly overloadedRowCount: number;
}

export interface Run {
  readonly runId: number;
  /**
   * The blocks in order; ends when the run has ended and every block sent has been delivered. Throws SAMPLES_LOST when
   * a sample index is missing, unless it is marked.
   */
  readonly blocks: AsyncIterable<SampleBlock>;
  /** What is known to be lost so far, in order; complete when `blocks` has ended. */
  readonly lost: readonly SampleRange[];
  /**
   * The board's own word on how the run ended. Overload is a value here, not an error. It comes after the last block, and
   * blocks come only as they are read.
   */
  readonly finished: Promise<RunReport>;
  abort(options?: CallOptions): Promise<void>;
}

/** What a solver needs of a board. The driver's `Device` implements it over any port. */
export interface BoardDevice {
  readonly identity: DeviceIdentity;
  /** Payload bytes of programs handed to the link since the device was opened. */
  readonly uploadedBytes: number;
  /** Uploads a whole program into a bank and commits it by digest. */
  loadProgram(bank: number, image: ProgramImage, options?: CallOptions): Promise<CommitReport>;
  /** Replaces drive, initial state and registers of a loaded program; couplings stay. Commits. `image.couplings` must be the loaded one. */
  rewriteProgram(bank: number, image: ProgramImage, options?: CallOptions): Promise<CommitReport>;
  run(options: RunOptions): Promise<Run>;
  /**
   * `run` and all of its samples as sampleCount × cells codes (fewer rows when the run was halted). The report's outcome is
   * `completed` or `overload`; any other end throws RUN_ENDED or DEVICE_FAULT here, so callers need no case for it.
   */
  acquire(options: RunOptions): Promise<{ readonly codes: Int16Array; readonly report: RunReport }>;
}

export interface DeviceStatus {
  readonly state: DeviceStateName;
  readonly fault: keyof typeof FAULT;
  readonly bootEpoch: number;
  readonly runId: number;
  readonly tick: number;
  readonly stopNumber: number;
  readonly committedBanks: number;
  /** CRC-32 of the cell array's state. */
  readonly stateDigest: number;
}

const FAULT_NAMES = Object.keys(FAULT) as (keyof typeof FAULT)[];

export function statusOf(answer: Answer<'readStatus'>): DeviceStatus {
  const digest = answer.stateDigest;
  return {
    state: deviceStateName(answer.state),
    fault: FAULT_NAMES[answer.fault],
    bootEpoch: answer.bootEpoch,
    runId: answer.runId,
    tick: answer.tick,
    stopNumber: answer.stopNumber,
    committedBanks: answer.committedBanks,
    stateDigest: (digest[0] | (digest[1] << 8) | (digest[2] << 16) | (digest[3] << 24)) >>> 0,
  };
}
