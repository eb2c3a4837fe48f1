import type { Clock } from '../../firmware-protocol/clock.js';
import { checkObject, checkSignal, checkText, checkWhole } from '../argument-checks.js';
import { type Logger, SILENT_LOGGER } from '../driver/logger.js';
import { SYSTEM_CLOCK } from '../driver/system-clock.js';
import { ThermolinkError } from '../errors.js';
import { openTcpPort } from '../transport/tcp-port.js';
import { type Circuit, configuration, type Inputs, inputConfiguration, type Placement } from './circuit.js';
import { LucidacConnection, type WaitOptions } from './connection.js';
import { type MachineFacts, machineOf } from './entity-tree.js';
import { LUCIDAC_PORT } from './lucidac-uri.js';
import { RunCollector, type RunReadings, type RunRequest, runCommand } from './run.js';

/** Address of a LUCIDAC, and bounds of the waits. */
export interface OpenLucidacOptions {
  /** A host name or an address; IPv6 without brackets. */
  readonly host: string;
  /** Default 5732. */
  readonly port?: number;
  /** Deadline of each answer, ms. A calibration and a run may take longer. Default 5000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Clock of the deadlines. Default: the clock of the host. */
  readonly clock?: Clock;
  /** Default: logs nothing. */
  readonly log?: Logger | undefined;
}

const TIMEOUT_MS = 5000;
/**
 * Deadline of a calibration, ms. It is longer than other deadlines, because a calibration drives every lane
 * through its range.
 */
const CALIBRATION_TIMEOUT_MS = 30_000;
/** Longest time of the clean-up at the end of a use, even after an abort, ms. */
const CLEANUP_TIMEOUT_MS = 1000;
/**
 * A machine that does not answer at first may have firmware 1.x. It is then asked in the protocol of 1.x;
 * this is the deadline of that answer, ms.
 */
const OLD_FIRMWARE_MS = 1000;

/**
 * A connected LUCIDAC with firmware 2.x. `createLucidacSolver` computes on it. It is not a `Device`, because
 * it has no ticks, codes, seeds or digests.
 */
export class Lucidac {
  /** The parts that the machine reported when it was opened. */
  readonly facts: MachineFacts;
  readonly #connection: LucidacConnection;
  readonly #timeoutMs: number;
  /** The circuit on the machine; undefined if no circuit was configured since the last reset. */
  #configured: { readonly wiring: string; readonly placement: Placement } | undefined;
  /** The circuit of the last calibration. */
  #calibratedFor: string | undefined;
  #calibrations = 0;

  /** @internal */
  constructor(connection: LucidacConnection, facts: MachineFacts, timeoutMs: number) {
    this.#connection = connection;
    this.facts = facts;
    this.#timeoutMs = timeoutMs;
  }

  /** Bytes sent so far. */
  get bytesSent(): number {
    return this.#connection.bytesSent;
  }

  /** Number of calibrations so far. Each may change the gains. @internal */
  get calibrations(): number {
    return this.#calibrations;
  }

  /** Whether the connection has ended. */
  get isLost(): boolean {
    return this.#connection.isLost;
  }

  /** The round trip of an empty message, ms. Errors: NO_ANSWER, TIMEOUT, LINK_LOST, ABORTED. */
  async ping(options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    checkSignal(options.signal);
    return this.#connection.ping(this.#wait(options.signal));
  }

  /**
   * Configures a circuit and its inputs. If the last calibration was for another circuit, it also calibrates
   * the machine. If the machine already has the circuit, only coefficients and initial values are sent.
   *
   * @internal
   */
  async configure(
    circuit: Circuit,
    placement: Placement,
    inputs: Inputs,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { mac } = this.facts;
    const there = this.#configured;
    if (there?.wiring === circuit.wiring && there.placement === placement) {
      const items = inputConfiguration(mac, circuit, placement, inputs);
      await this.#connection.request('configCommand', { module: { items } }, this.#wait(signal));
      return;
    }
    this.#configured = undefined;
    const items = configuration(mac, circuit, placement, inputs);
    await this.#connection.request(
      'configCommand',
      { module: { items }, resetBefore: true },
      this.#wait(signal),
    );
    this.#configured = { wiring: circuit.wiring, placement };
    const key = JSON.stringify([circuit.wiring, placement]);
    if (this.#calibratedFor === key) return;
    this.#calibratedFor = undefined;
    this.#calibrations++;
    const config = { leader: { path: mac }, math: 0, gain: 1, offset: 1 };
    await this.#connection.request(
      'calibrationCommand',
      { config },
      { timeoutMs: Math.max(this.#timeoutMs, CALIBRATION_TIMEOUT_MS), signal },
    );
    this.#calibratedFor = key;
  }

  /**
   * One run from the initial values, for the operating time. After an error, a deadline or an abort the run
   * is stopped on the machine.
   *
   * Errors: BUSY, DEVICE_REFUSED, RUN_ENDED, SAMPLES_LOST, TIMEOUT, LINK_LOST, ABORTED.
   *
   * @internal
   */
  async run(request: RunRequest, signal: AbortSignal | undefined): Promise<RunReadings> {
    const collector = new RunCollector(request);
    const stopListening = this.#connection.listen(
      (message) => collector.take(message),
      (error) => collector.fail(error),
    );
    try {
      await this.#connection.request('startRunCommand', runCommand(request), this.#wait(signal));
      const timeoutMs = this.#timeoutMs + request.operatingTimeNs / 1e6;
      const readings = await collector.finished(timeoutMs, this.#connection, signal);
      const { status } = await this.#connection.request('overloadCommand', {}, this.#wait(signal));
      const overloaded = (status?.elements ?? [])
        .filter((element) => element.overloaded)
        .map((element) => `${element.entity?.path ?? ''}/${element.index}`);
      return { ...readings, isOverloaded: status?.overloaded === true, overloaded };
    } catch (error) {
      await this.#cleanUp(() => this.#connection.request('stopRunCommand', {}, CLEANUP));
      throw error;
    } finally {
      stopListening();
    }
  }

  /** Clears the overload flags of the machine. @internal */
  async forgetOverloads(signal: AbortSignal | undefined): Promise<void> {
    const command = { keepCalibration: true, overloadReset: true };
    await this.#connection.request('resetCommand', command, this.#wait(signal));
  }

  /**
   * Removes the whole configuration from the machine, if `configure` was called. The machine keeps its
   * calibration. Errors: none; nothing is done if the connection is lost.
   *
   * @internal
   */
  async release(): Promise<void> {
    if (this.#configured === undefined) return;
    this.#configured = undefined;
    const command = { keepCalibration: true, overloadReset: true, circuitReset: true };
    await this.#cleanUp(() => this.#connection.request('resetCommand', command, CLEANUP));
  }

  /** Ends the connection. Errors: none. */
  async close(): Promise<void> {
    await this.release();
    await this.#connection.close();
  }

  /** `close`, for `await using`. Errors: none. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #cleanUp(work: () => Promise<unknown>): Promise<void> {
    if (this.#connection.isLost) return;
    // An error of the clean-up is ignored, because the error before it tells more.
    await work().catch(() => undefined);
  }

  #wait(signal: AbortSignal | undefined): WaitOptions {
    return { timeoutMs: this.#timeoutMs, signal };
  }
}

const CLEANUP = { timeoutMs: CLEANUP_TIMEOUT_MS };

/**
 * Connects to a LUCIDAC with firmware 2.x and asks for its parts. It changes nothing on the machine.
 *
 * Errors: BAD_ARGUMENT; CANNOT_CONNECT, NO_ANSWER, NOT_A_BOARD; VERSION_MISMATCH for firmware 1.x;
 * UNSUPPORTED for a machine of several carriers; BUSY, DEVICE_REFUSED, LINK_LOST, ABORTED. After an error no
 * connection stays open.
 */
export async function openLucidac(options: OpenLucidacOptions): Promise<Lucidac> {
  checkObject('options', options, "{ host: 'lucidac.local' }");
  const { host, port = LUCIDAC_PORT, timeoutMs = TIMEOUT_MS, signal } = options;
  const { clock = SYSTEM_CLOCK, log = SILENT_LOGGER } = options;
  checkText('host', host);
  checkWhole('port', port, 1, 65535);
  checkWhole('timeoutMs', timeoutMs, 1, 3_600_000);
  checkSignal(signal);
  const connection = new LucidacConnection(await open({ host, port }, timeoutMs, signal), clock, log);
  try {
    const command = { recursive: true, specification: true };
    const answer = await connection
      .request('extractCommand', command, { timeoutMs, signal })
      .catch((error: unknown) => rejectOldFirmware(connection, error, signal));
    const module = answer.module ?? { items: [] };
    const facts = machineOf(module, connection.name);
    log.info({ mac: facts.mac }, 'LUCIDAC connected');
    return new Lucidac(connection, facts, timeoutMs);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function open(
  address: { readonly host: string; readonly port: number },
  timeoutMs: number,
  signal: AbortSignal | undefined,
) {
  try {
    return await openTcpPort(address, { signal, timeoutMs });
  } catch (error) {
    if (!(error instanceof ThermolinkError) || error.code !== 'CANNOT_CONNECT') throw error;
    throw new ThermolinkError(error.code, error.message, {
      cause: error.cause,
      data: error.data,
      hint: `Check the address, and that the LUCIDAC is on and in this network. It listens on port ${LUCIDAC_PORT}.`,
    });
  }
}

/**
 * A machine with firmware 1.x exchanges lines of JSON. It does not understand a message of protocol 2.x. It
 * then waits for the end of a line, or sends an error.
 */
async function rejectOldFirmware(
  connection: LucidacConnection,
  error: unknown,
  signal: AbortSignal | undefined,
): Promise<never> {
  const isSilent = error instanceof ThermolinkError && error.code === 'NO_ANSWER';
  if (isSilent && connection.firstBytes.length === 0) {
    connection.writeRaw(Buffer.from('\n{"id":"00000000-0000-4000-8000-000000000000","type":"ping"}\n'));
    await connection.wait(OLD_FIRMWARE_MS, signal);
  }
  if (!/^\s*\{/.test(Buffer.from(connection.firstBytes).toString('latin1'))) throw error;
  throw new ThermolinkError(
    'VERSION_MISMATCH',
    `The LUCIDAC at ${connection.name} has firmware 1.x, which uses another protocol (lines of JSON).`,
    {
      cause: error,
      hint: 'Update its firmware to 2.0.1 or later, as its manufacturer describes. This program supports only protocol 2.x.',
      data: { firstBytes: [...connection.firstBytes] },
    },
  );
}
