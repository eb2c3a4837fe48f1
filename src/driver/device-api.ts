import { type DeviceStateName, deviceStateName } from '../../firmware-protocol/device-status.js';
import type { Answer } from '../../firmware-protocol/messages/index.js';
import { FAULT } from '../../firmware-protocol/messages/system.js';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import type { ThermolinkError } from '../errors.js';

/** The properties of a board from HELLO. These numbers turn codes into volts and ticks into seconds. */
export interface DeviceIdentity {
  readonly model: string;
  readonly serialNumber: string;
  readonly firmwareVersion: string;
  readonly bootEpoch: number;
  /** N. */
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
  /** The voltage at which a cell saturates, in 2⁻²⁴ V_fs. */
  readonly rail: number;
  /** R. The largest drive code stands for R · V_fs · G_fs, where G_fs is the full-scale conductance. */
  readonly driveRange: number;
  readonly noiseShiftMin: number;
  readonly noiseShiftMax: number;
  /** Smallest noise temperature κ at which standard errors of answers have a meaning, in 10⁻¹² V_fs². */
  readonly noiseTemperatureMin: number;
  /** Largest m · 2^ρ that a commit takes. m is the number of rows of a program, ρ its row attenuation. */
  readonly rowScaleMax: number;
  readonly hasDense: boolean;
  readonly hasFactored: boolean;
  /** Whether a factored program may have a `rowElement`: drives and the element of its rows. */
  readonly hasRowElement: boolean;
  readonly hasHold: boolean;
  /** Whether the board can add up the samples of a run itself (`average`). */
  readonly hasAverages: boolean;
  /** Largest number of cells for which the board adds up second moments; 0 if it cannot add them up. */
  readonly momentCellsMax: number;
  /**
   * Whether the covariances of its samples agree with the model without a calibration by the host. This holds
   * for an ideal board, and for a board that calibrates itself.
   */
  readonly hasKnownCovariance: boolean;
  /** Whether the board can show people which one it is (`Device.identify`). */
  readonly hasIdentify: boolean;
  /** Bytes of the longest calibration record that the board keeps; 0 if it keeps none. */
  readonly calibrationBytesMax: number;
  /** Number of sent blocks that the board can keep for `reRequest`; 0 if it keeps none. */
  readonly keepBlocksMax: number;
}

/** Deadline and abort signal of one call on a device. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Deadline of the whole call in ms. Each call has a default. */
  readonly timeoutMs?: number;
}

/** Options of rewriting a program. */
export interface RewriteOptions extends CallOptions {
  /**
   * The program in the bank. If it is given, drive, initial state, table and row drive are each sent only
   * from the first to the last code that differs. Default: they are sent whole.
   */
  readonly since?: Pick<ProgramImage, 'drive' | 'initialState' | 'rowElement'>;
}

/** The answer to a commit. */
export interface CommitReport {
  /** How many effective coupling codes were clamped. */
  readonly clampedCouplings: number;
  /** How many effective noise codes were clamped. */
  readonly clampedNoiseCodes: number;
  /** Smallest and largest effective noise code a_i among all cells. */
  readonly noiseCodeMin: number;
  readonly noiseCodeMax: number;
}

/** Sample indices from `from` up to, not including, `to`. */
export interface SampleRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Handling of samples that do not arrive. `fail`: the stream throws SAMPLES_LOST at the gap. `mark`: the
 * stream goes on and lists the ranges. `reRequest`: the board keeps blocks until the host has them, and sends
 * lost ones again.
 */
export type LossPolicy = 'fail' | 'mark' | 'reRequest';

/**
 * A board run. `timeoutMs` limits the time of the whole run. By default there is no limit. A board that falls
 * silent is noticed within seconds in any case.
 */
export interface RunOptions extends CallOptions {
  readonly bank: number;
  /** 0 … 2³² − 1. It selects the noise, together with the die seed and the tick. */
  readonly runSeed: number;
  /** Number of the first tick. Default 0. */
  readonly firstTick?: number;
  readonly burnInTicks: number;
  readonly sampleCount: number;
  /** Sample i is read when burnInTicks + i·ticksPerSample ticks are done. */
  readonly ticksPerSample: number;
  /**
   * Whether cells start from the final state of the last run instead of the program's initial state. Default
   * false.
   */
  readonly keepState?: boolean;
  /**
   * `halt` (default): the run stops after the tick of the first overload. `mark`: it goes on
   * and flags the blocks.
   */
  readonly onOverload?: 'halt' | 'mark';
  /** Default `fail`. */
  readonly onLoss?: LossPolicy;
  /**
   * Handling of a host that reads too slowly. `hold`: no tick passes until the host has caught up; this is
   * the default if the board can do it. `lose`: the board skips samples and counts them, and `onLoss` decides
   * how they are handled.
   */
  readonly onNoCredit?: 'hold' | 'lose';
  /** Silence of the host in ms after which the board ends the run. 100 … 60000, default 2000. */
  readonly watchdogMs?: number;
}

/** A board run whose samples the board adds up, so only sums come over the line (protocol.md, "Averages"). */
export interface AverageOptions extends Omit<RunOptions, 'onLoss' | 'onNoCredit'> {
  /**
   * Number of batches, 1 … 32. It divides `sampleCount`. Batches have equal size, and each has its own sum.
   */
  readonly batches: number;
  /** Whether products of all pairs of cells are added up, not only squares. Default false. */
  readonly secondMoments?: boolean;
}

/** The sums that the board has added up: exact sums of ADC codes x. */
export interface Averages {
  readonly report: RunReport;
  /** Number of samples that were added: fewer than requested if the run was halted. */
  readonly samples: number;
  /** Whether a cell or row had passed its limit when one of the samples was read. */
  readonly overload: boolean;
  /** Whether a code of one of the samples was cut to the range of the ADC. */
  readonly clipped: boolean;
  /** Sums of x_i, batches × N; each row is a batch. */
  readonly batchSums: Int32Array;
  /** Sums of x_i², length N, or with `secondMoments` of x_i·x_j, j ≥ i, row by row, length N(N + 1)/2. */
  readonly products: Float64Array;
}

/**
 * Consecutive ADC readings of some cells: entry (s, c) is sample `firstSample + s` of cell `firstCell + c`.
 */
export interface SampleBlock {
  readonly runId: number;
  readonly firstSample: number;
  readonly sampleCount: number;
  readonly firstCell: number;
  readonly cellCount: number;
  /** The tick at which the first sample of the block was read. */
  readonly tick: number;
  readonly overload: boolean;
  readonly clipped: boolean;
  /** sampleCount × cellCount ADC codes; each row is a sample. */
  readonly codes: Int16Array;
}

/**
 * How a board run ended. `completed` and `overload` are results. After any other outcome the calls that wait
 * for the run fail.
 */
export type RunOutcome = 'completed' | 'overload' | 'aborted' | 'stopped' | 'watchdog' | 'fault';

/** The report of the board when a run has ended. */
export interface RunReport {
  readonly runId: number;
  readonly outcome: RunOutcome;
  /** How many ticks passed. */
  readonly ticksDone: number;
  /** How many samples were read. */
  readonly samplesTaken: number;
  /** How many samples the board skipped (`onNoCredit: 'lose'`). */
  readonly samplesLost: number;
  /** Indices of the cells that passed their rail, ascending. If there are more than 32, the lowest 32. */
  readonly overloadedCells: readonly number[];
  /** How many cells passed their rail. */
  readonly overloadedCellCount: number;
  /** Indices of the rows that passed their limit, ascending. If there are more than 32, the lowest 32. */
  readonly overloadedRows: readonly number[];
  /** How many rows passed their limit. */
  readonly overloadedRowCount: number;
}

/** A board run in progress. */
export interface Run {
  readonly runId: number;
  /**
   * The blocks in order. The loop ends when the run has ended and every block that was sent has been
   * delivered. The loop throws SAMPLES_LOST when samples are missing, unless `onLoss` is `mark`.
   */
  readonly blocks: AsyncIterable<SampleBlock>;
  /** The samples that are known to be lost, in order. The list is complete when `blocks` has ended. */
  readonly lost: readonly SampleRange[];
  /**
   * The board's report on how the run ended. An overload is a value here, not an error. The report comes
   * after the last block, and blocks come only while somebody reads them.
   */
  readonly finished: Promise<RunReport>;
  /** Ends the run; `finished` tells when it has. Errors: those of a call on the device. */
  abort(options?: CallOptions): Promise<void>;
}

/** The calls that solvers make on a board. `Device` implements them over any port. */
export interface BoardDevice {
  readonly identity: DeviceIdentity;
  /** Bytes of program codes that were given to the link since the device was opened. */
  readonly uploadedBytes: number;
  /**
   * How many sessions were opened with the board. Programs are loaded again in each session. A device without
   * `recover` may leave the count out.
   */
  readonly sessionCount?: number;
  /**
   * Makes the board ready again after a call failed with `cause`. It waits while the board is looked for,
   * ends a run that is left over, and acknowledges an overload or a watchdog trip. The program has to be
   * loaded again. If a device has no `recover`, lost runs are not repeated. Errors: DEVICE_FAULT;
   * DEVICE_REFUSED after a stop that a caller asked for; ABORTED; those of the link.
   */
  readonly recover?: ((cause: ThermolinkError, options?: CallOptions) => Promise<void>) | undefined;
  /**
   * Uploads a whole program into a bank and commits it by its digest (protocol.md, "Programs").
   *
   * With `image.rowElement` (a factored program, `identity.hasRowElement`) cell i settles around the zero of
   * e_i − λ·v_i − Σ_r k_ri·(F_r − d_r): T is the function in the table, d the row drive, and y_r = Σ_j
   * k_rj·v_j. F_r is T(y_r) for rows r ≥ linearRows and y_r for the other rows (device-model.md, "Row
   * element"). In Bayesian logistic regression the examples are the rows, T is the logistic function minus ½,
   * and d holds the labels minus ½. Rows with T saturate without an overload. `rewriteProgram` can replace
   * table and row drive, but not `linearRows`.
   *
   * Errors: BAD_ARGUMENT; UNSUPPORTED for a row element that the board lacks; DIGEST_MISMATCH,
   * DEVICE_REFUSED, those of the link.
   */
  loadProgram(bank: number, image: ProgramImage, options?: CallOptions): Promise<CommitReport>;
  /**
   * Uploads shape and couplings of a program without a commit. This is the part of `loadProgram` that grows
   * with the array; `rewriteProgram` does the rest. Errors: those of `loadProgram`.
   */
  uploadCouplings(bank: number, image: ProgramImage, options?: CallOptions): Promise<void>;
  /**
   * Writes drive, initial state, row table, row drive and registers, and commits the program. The bank must
   * hold a loaded program or the couplings of `uploadCouplings`. The couplings stay, and `image.couplings`
   * must be equal to them. Errors: those of `loadProgram`.
   */
  rewriteProgram(bank: number, image: ProgramImage, options?: RewriteOptions): Promise<CommitReport>;
  /**
   * Starts the program in a bank and returns its blocks as they come. Errors: BAD_ARGUMENT; DEVICE_REFUSED
   * for a bank without a program; those of the link.
   */
  run(options: RunOptions): Promise<Run>;
  /**
   * Runs, and returns all samples as sampleCount × cells codes, or fewer rows when the run was halted. The
   * outcome in the report is `completed` or `overload`; any other end throws RUN_ENDED or DEVICE_FAULT.
   */
  acquire(options: RunOptions): Promise<{ readonly codes: Int16Array; readonly report: RunReport }>;
  /**
   * Runs, and returns sums of the samples that the board has added up. The number of bytes on the line does
   * not grow with the number of samples. The outcomes are those of `acquire`. Errors: UNSUPPORTED if
   * `identity.hasAverages` is false, or for second moments of more than `momentCellsMax` cells; those of
   * `acquire`.
   */
  readonly average?: ((options: AverageOptions) => Promise<Averages>) | undefined;
}

/**
 * Readings of the board's own sensors; undefined if it has no such sensor (protocol.md, "Sensors and light").
 */
export interface SensorReadings {
  readonly dieTemperatureKelvin: number | undefined;
  readonly supplyVolts: number | undefined;
}

/** The status of the board. */
export interface DeviceStatus {
  readonly state: DeviceStateName;
  readonly fault: keyof typeof FAULT;
  readonly bootEpoch: number;
  readonly runId: number;
  readonly tick: number;
  /** Number of the last stop that took effect in this session, u32. */
  readonly stopNumber: number;
  /** One bit for each bank: 1 if a program is committed in it. */
  readonly committedBanks: number;
  /** CRC-32 of the cell array's state (device-model.md, "State and digest"). */
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
