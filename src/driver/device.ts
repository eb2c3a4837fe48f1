import type { Clock } from '../../firmware-protocol/clock.js';
import { type DeviceStateName, deviceStateName } from '../../firmware-protocol/device-status.js';
import { IDENTIFY_MS_MAX } from '../../firmware-protocol/limits.js';
import type { Answer, Command } from '../../firmware-protocol/messages/index.js';
import type { Port } from '../../firmware-protocol/port.js';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import { badArgument, checkObject, checkSignal, checkWhole } from '../argument-checks.js';
import { assert, ThermolinkError, throwIfAborted } from '../errors.js';
import { CalibrationStore } from './calibration-store.js';
import { collectAverages } from './collect-averages.js';
import { collectSamples, refuseEarlyEnd, type Samples } from './collect-samples.js';
import { Connection } from './connection.js';
import {
  type AverageOptions,
  type Averages,
  type BoardDevice,
  type CallOptions,
  type CommitReport,
  type DeviceIdentity,
  type DeviceStatus,
  type RewriteOptions,
  type Run,
  type RunOptions,
  type SensorReadings,
  statusOf,
} from './device-api.js';
import { logHealth } from './health.js';
import { HELLO_TIMEOUT_MS, newNonce } from './hello.js';
import { type Logger, SILENT_LOGGER } from './logger.js';
import { type OpenedSession, openSession } from './open-session.js';
import { type DeviceEvent, type ReconnectOptions, Reconnector, teller } from './reconnect.js';
import { Recovery } from './recovery.js';
import { RunKeeper, stoppedMsOf } from './run-keeper.js';
import { averageFields, checkHoldable, startFields } from './run-request.js';
import { RunStream } from './run-stream.js';
import { noteOpen } from './stop-on-exit.js';
import { Stopper } from './stopper.js';
import { SYSTEM_CLOCK } from './system-clock.js';
import { checkProgram, Uploader } from './upload.js';

/** Options of opening a session on a port. */
export interface OpenOptions {
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** The name of the session, 8 bytes. Default: a new one; tests give their own. */
  readonly nonce?: Uint8Array;
  /** Default: logs nothing. */
  readonly log?: Logger;
  /** How to look for the board when its port is lost. Without this option, the device ends with its port. */
  readonly reconnect?: ReconnectOptions;
  /** Called at every step of reconnecting, and when a lost board run is done again. */
  readonly onEvent?: (event: DeviceEvent) => void;
  /**
   * Whether algorithms repeat lost board runs (`recover`). Default true. If false, they end with the error of
   * the first loss.
   */
  readonly retry?: boolean;
  /** Called after the device and its port were closed. Listeners at the port can end then. */
  readonly whenClosed?: () => Promise<void>;
}

/**
 * The counters of the board: frames, faults, trips of its watchdog. protocol.md, "Messages", lists the
 * fields.
 */
export type DeviceCounters = Answer<'readCounters'>;

const RUN_EXAMPLE = '{ bank: 0, runSeed: 1, burnInTicks: 1000, sampleCount: 1, ticksPerSample: 0 }';
/** Longest time that closing waits until the board is in the state `safe`. */
const CLOSE_STOP_MS = 500;

/**
 * A connected board. Every call takes an AbortSignal and has a deadline. An aborted call leaves the device
 * usable. Errors: BAD_ARGUMENT, LINK_LOST, SESSION_LOST, OUTCOME_UNKNOWN, TIMEOUT, ABORTED, DEVICE_REFUSED,
 * DEVICE_FAULT, DIGEST_MISMATCH, SAMPLES_LOST, RUN_ENDED, UNSUPPORTED; REPLAY_MISMATCH on a recording.
 */
export class Device implements BoardDevice {
  readonly #connection: Connection;
  #identity: DeviceIdentity;
  #nonce: Uint8Array;
  #reconnector: Reconnector | undefined;
  readonly #endHealth: () => void;
  readonly #noteClosed: () => void;
  #whenClosed: (() => Promise<void>) | undefined;
  readonly #uploader: Uploader;
  readonly #runs: RunKeeper;
  /** How many cells the program in each bank has. */
  #bankCells: number[] = [];
  readonly #stopper: Stopper;
  #startsInFlight = 0;
  #sessionCount = 1;
  readonly #recovery: Recovery;
  /** See `BoardDevice`. Undefined with `retry: false`. */
  readonly recover: BoardDevice['recover'];

  private constructor(
    connection: Connection,
    { identity, nonce }: OpenedSession,
    log: Logger,
    retry: boolean,
  ) {
    this.#connection = connection;
    this.#nonce = nonce;
    this.#uploader = new Uploader(connection);
    this.#stopper = new Stopper(connection, () => this.#nonce);
    this.#identity = identity;
    this.#endHealth = logHealth(connection, log);
    this.#noteClosed = noteOpen(this);
    const runs = new RunKeeper(connection, log);
    this.#runs = runs;
    connection.events = {
      sampleBlock: (block) => runs.takeBlock(block),
      blocksSent: (position) => runs.takePosition(position),
      runEnded: (report) => runs.takeReport(report),
      failed: (error) => {
        // This comes first, because a caller that gets the failure may load a program into the next session
        // at once.
        this.#bankCells = [];
        this.#sessionCount++;
        runs.fail(error);
      },
    };
    const recovery = new Recovery(connection, this.#stopper);
    this.#recovery = recovery;
    if (retry) this.recover = (cause, options) => recovery.recover(cause, options);
  }

  /** The facts about the board from its HELLO. The boot epoch changes when the board restarts. */
  get identity(): DeviceIdentity {
    return this.#identity;
  }

  /** The name of the port, as errors and logs give it. */
  get name(): string {
    return this.#connection.port.name;
  }

  /**
   * Opens a session on a port that nobody has used yet. The port is closed on failure. Errors:
   * BAD_ARGUMENT, NO_ANSWER, NOT_A_BOARD, VERSION_MISMATCH, BUSY, ABORTED, and SESSION_LOST from a board
   * that refuses every nonce.
   */
  static async open(port: Port, options: OpenOptions = {}): Promise<Device> {
    checkObject('port', port, "await openTcpPort({ host: '127.0.0.1', port: 7000 })");
    const { signal, clock = SYSTEM_CLOCK, log = SILENT_LOGGER } = options;
    const connection = new Connection(port, clock, log);
    try {
      const session = await openSession(connection, options.nonce ?? newNonce(), {
        timeoutMs: HELLO_TIMEOUT_MS,
        signal,
      });
      const { identity, limits, nonce } = session;
      connection.openSession(nonce, limits);
      log.info(
        {
          port: port.name,
          ...(port.lease !== undefined && { lease: port.lease }),
          model: identity.model,
          serialNumber: identity.serialNumber,
        },
        'session opened',
      );
      const device = new Device(connection, session, log, options.retry ?? true);
      device.#recovery.tell = teller(log, options.onEvent, () => connection.port);
      if (options.reconnect) device.#reconnectWith(options.reconnect);
      device.#whenClosed = options.whenClosed;
      return device;
    } catch (error) {
      await port.close().catch(() => undefined);
      throw error;
    }
  }

  #reconnectWith(reconnect: ReconnectOptions): void {
    this.#reconnector = new Reconnector(
      this.#connection,
      {
        current: () => ({ nonce: this.#nonce, identity: this.#identity }),
        begin: (nonce, identity) => {
          this.#nonce = nonce;
          this.#identity = identity;
          this.#stopper.beginSession();
        },
        tell: (event) => this.#recovery.tell(event),
      },
      reconnect,
    );
  }

  /** Bytes of program codes that were given to the link so far. */
  get uploadedBytes(): number {
    return this.#uploader.payloadBytes;
  }

  /** Bytes of the longest payload of one frame to this board. */
  get payloadBytesMax(): number {
    return this.#connection.link.payloadBytesMax;
  }

  /** The counters of the host's end of the link. */
  get linkCounters() {
    return this.#connection.link.counters;
  }

  get sessionCount(): number {
    return this.#sessionCount;
  }

  /** Measures the time of a round trip in ms. */
  async ping(options: CallOptions = {}): Promise<number> {
    const { clock } = this.#connection;
    const startMs = clock.nowMs();
    await this.#connection.request('ping', { token: 0 }, options);
    return clock.nowMs() - startMs;
  }

  /** The status of the board. */
  async readStatus(options: CallOptions = {}): Promise<DeviceStatus> {
    return statusOf(await this.#connection.request('readStatus', {}, options));
  }

  /** The counters of the board since its start. */
  readCounters(options: CallOptions = {}): Promise<DeviceCounters> {
    return this.#connection.request('readCounters', {}, options);
  }

  /**
   * Reads the board's own sensors. Errors: those of the link; DEVICE_REFUSED from a board of an earlier
   * protocol version, which has no such command.
   */
  async readSensors(options: CallOptions = {}): Promise<SensorReadings> {
    const said = await this.#connection.request('readSensors', {}, options);
    return {
      dieTemperatureKelvin: said.dieTemperatureMillikelvin / 1000 || undefined,
      supplyVolts: said.supplyMillivolts / 1000 || undefined,
    };
  }

  /**
   * Makes the board show people which one it is for `durationMs` (0 … 60,000 ms), for example by a blinking
   * light; 0 ends it. Errors: BAD_ARGUMENT; UNSUPPORTED if `identity.hasIdentify` is false; those of the
   * link.
   */
  async identify(durationMs: number, options: CallOptions = {}): Promise<void> {
    checkWhole('durationMs', durationMs, 0, IDENTIFY_MS_MAX);
    if (!this.identity.hasIdentify)
      throw new ThermolinkError(
        'UNSUPPORTED',
        `The board ${this.identity.model} cannot show which one it is.`,
        {
          hint: 'Its serial number tells it from others: thermolink info.',
        },
      );
    await this.#connection.request('identify', { durationMs }, options);
  }

  /**
   * The calibration record that the board keeps, as bytes; undefined when it has no record.
   * `unpackCalibration` of thermolink/measure reads them. Errors: UNSUPPORTED if
   * `identity.calibrationBytesMax` is 0; those of the link.
   */
  readCalibration(options: CallOptions = {}): Promise<Uint8Array | undefined> {
    return new CalibrationStore(this.#connection).read(this.identity, options);
  }

  /**
   * Replaces the calibration record in the board. The record survives resets. It survives a loss of power if
   * the memory of the board does. The board checks the record by its digest. An empty `record` erases the one
   * in the board. Errors: BAD_ARGUMENT for one that is too long; UNSUPPORTED; DEVICE_REFUSED during a run;
   * those of the link.
   */
  async keepCalibration(record: Uint8Array, options: CallOptions = {}): Promise<void> {
    if (!(record instanceof Uint8Array)) throw badArgument('record', record, 'a Uint8Array');
    await new CalibrationStore(this.#connection).write(this.identity, record, options);
  }

  /** Clears a fault (to `safe`), leaves `safe` (to `idle`), or clears an overload (protocol.md, "States"). */
  async acknowledge(options: CallOptions = {}): Promise<DeviceStateName> {
    const settled = this.#recovery.settling();
    const { state } = await this.#connection.request('acknowledge', {}, options);
    settled();
    return deviceStateName(state);
  }

  async loadProgram(bank: number, image: ProgramImage, options: CallOptions = {}): Promise<CommitReport> {
    checkProgram(bank, image, this.identity);
    this.#bankCells[bank] = image.cells;
    return this.#uploader.load(bank, image, options);
  }

  async uploadCouplings(bank: number, image: ProgramImage, options: CallOptions = {}): Promise<void> {
    checkProgram(bank, image, this.identity);
    this.#bankCells[bank] = image.cells;
    return this.#uploader.couplings(bank, image, options);
  }

  async rewriteProgram(
    bank: number,
    image: ProgramImage,
    options: RewriteOptions = {},
  ): Promise<CommitReport> {
    checkProgram(bank, image, this.identity);
    return this.#uploader.rewrite(bank, image, options);
  }

  run(options: RunOptions): Promise<Run> {
    return this.#run(options);
  }

  async #run(options: RunOptions): Promise<RunStream> {
    const cells = this.#cellsOf(options);
    return this.#start(options, cells, startFields(options, this.identity));
  }

  /** How many cells the program of a run has. */
  #cellsOf(options: Pick<RunOptions, 'bank' | 'signal'>): number {
    checkObject('The run', options, RUN_EXAMPLE);
    checkWhole('bank', options.bank, 0, this.identity.banks - 1);
    checkSignal(options.signal);
    const cells = this.#bankCells[options.bank];
    if (cells === undefined)
      throw new ThermolinkError('DEVICE_REFUSED', `Bank ${options.bank} holds no program of this session.`, {
        hint: 'Call loadProgram first.',
      });
    return cells;
  }

  async #start(options: RunOptions, cells: number, fields: Command<'start'>): Promise<RunStream> {
    const { signal } = options;
    throwIfAborted(signal);
    let stream: RunStream | undefined;
    // The signal does not cancel a start. Without its answer the host could not end the run.
    this.#startsInFlight++;
    const stopSettled = this.#recovery.settling();
    const started = this.#connection.request('start', fields, {
      // An answer after the deadline means that the run has started after all, so the run is aborted.
      onLateAnswer: ({ runId }) => void this.#connection.request('abort', { runId }).catch(() => undefined),
      onAnswer: ({ runId }) => {
        stopSettled();
        stream = new RunStream(this.#connection, runId, cells, fields.keepBlocks, options);
        this.#runs.add(stream, fields.watchdogMs);
      },
    });
    await started
      .catch(async (error: ThermolinkError) => {
        // The run may have started, so the board is stopped.
        if (error.code === 'TIMEOUT' && !this.#connection.failure)
          await this.#stopper.stop({ timeoutMs: CLOSE_STOP_MS }).catch(() => undefined);
        throw error;
      })
      .finally(() => {
        this.#startsInFlight--;
      });
    assert(stream, 'start was answered');
    return stream;
  }

  /** Runs and collects all samples. Rows of samples that are marked as lost (`onLoss: 'mark'`) are 0. */
  async acquire(options: RunOptions): Promise<Samples> {
    checkObject('The run', options, RUN_EXAMPLE);
    checkWhole('sampleCount', options.sampleCount, 0);
    checkHoldable(options.sampleCount, this.#bankCells[options.bank] ?? 0);
    const { clock } = this.#connection;
    const stoppedMs = stoppedMsOf(clock);
    return collectSamples(await this.#run(options), options.sampleCount, () => ({
      keepAliveLateMs: this.#runs.lateMs,
      stoppedMs: stoppedMsOf(clock) - stoppedMs,
    }));
  }

  async average(options: AverageOptions): Promise<Averages> {
    const cells = this.#cellsOf(options);
    const fields = averageFields(options, cells, this.identity);
    const { clock } = this.#connection;
    const stoppedMs = stoppedMsOf(clock);
    // The board sends only sums, so no sample is expected.
    const run = await this.#start({ ...options, sampleCount: 0 }, cells, fields);
    const report = await run.finished;
    refuseEarlyEnd(report, () => ({
      keepAliveLateMs: this.#runs.lateMs,
      stoppedMs: stoppedMsOf(clock) - stoppedMs,
    }));
    return collectAverages(this.#connection, report, cells, options, { signal: options.signal });
  }

  /**
   * Puts the board into `safe` at once, ahead of everything queued, and cancels commands that were not
   * executed yet (protocol.md, "Stop"). The stop is repeated every 50 ms until the board answers, by default
   * for 2 s. Several calls at the same time repeat one common stop. Each call ends by its own deadline or
   * signal.
   */
  stop(options: CallOptions = {}): Promise<void> {
    this.#recovery.noteStop();
    return this.#stopper.stop(options);
  }

  /** Restarts the board, which loses programs, state and session. The device is closed afterwards. */
  async reset(options: CallOptions = {}): Promise<void> {
    await this.#connection.request('reset', {}, options);
    await this.close();
  }

  /**
   * Stops the board if a run is in progress, then closes the port. Errors: none, except REPLAY_MISMATCH for a
   * replayed session if recorded requests were not made.
   */
  async close(): Promise<void> {
    const mayRun = !this.#runs.isEmpty || this.#startsInFlight > 0;
    if (mayRun && !this.#connection.failure && !this.#connection.suspended)
      await this.stop({ timeoutMs: CLOSE_STOP_MS }).catch(() => undefined);
    this.#reconnector?.end();
    this.#endHealth();
    this.#noteClosed();
    const closed = new ThermolinkError('ABORTED', 'The device was closed.');
    await this.#connection.end(closed);
    const failure = await this.#connection.port.close().catch((error: unknown) => error);
    await this.#whenClosed?.().catch(() => undefined);
    if (failure instanceof ThermolinkError && failure.code === 'REPLAY_MISMATCH') throw failure;
  }
}
