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

/** Where a LUCIDAC is, and what bounds the waits. */
export interface OpenLucidacOptions {
  /** A host name or an address; IPv6 without brackets. */
  readonly host: string;
  /** Default 5732. */
  readonly port?: number;
  /** Deadline of each answer, ms; a calibration and a run may take longer. Default 5000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** The time of the deadlines. Default: the machine's clock. */
  readonly clock?: Clock;
  /** Default: logs nothing. */
  readonly log?: Logger | undefined;
}

const TIMEOUT_MS = 5000;
/** A calibration drives every lane through its range. */
const CALIBRATION_TIMEOUT_MS = 30_000;
/** What ends a use may take so long, even when the use was aborted, ms. */
const CLEANUP_TIMEOUT_MS = 1000;
/** A 1.x machine that is silent at first is asked in its own protocol, and has so long to answer, ms. */
const OLD_FIRMWARE_MS = 1000;

/**
 * A connected LUCIDAC with firmware 2.x. `createLucidacSolver` computes on it. It is no `Device`: it has no
 * ticks, codes, seeds or digests.
 */
export class Lucidac {
  /** What the machine said of itself when it was opened. */
  readonly facts: MachineFacts;
  readonly #connection: LucidacConnection;
  readonly #timeoutMs: number;
  /** The circuit that the machine has, if one was configured since the last reset. */
  #configured: { readonly wiring: string; readonly placement: Placement } | undefined;
  /** What the last calibration was for. */
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

  /** Calibrations so far. Gains may differ after each. @internal */
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
   * Puts a circuit and its inputs on the machine, and calibrates it if the last calibration was for another
   * circuit. Only coefficients and initial values are sent when the circuit is there already.
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
   * One run: from the initial values for the operating time. A run that ends by an error, a deadline or an
   * abort is stopped on the machine.
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

  /** Makes the machine forget that something was overloaded. @internal */
  async forgetOverloads(signal: AbortSignal | undefined): Promise<void> {
    const command = { keepCalibration: true, overloadReset: true };
    await this.#connection.request('resetCommand', command, this.#wait(signal));
  }

  /**
   * Takes everything back that was configured, so that the machine is as it was found. Errors: none; a
   * machine that is lost has nothing to take back.
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
    // The error that led here tells more.
    await work().catch(() => undefined);
  }

  #wait(signal: AbortSignal | undefined): WaitOptions {
    return { timeoutMs: this.#timeoutMs, signal };
  }
}

const CLEANUP = { timeoutMs: CLEANUP_TIMEOUT_MS };

/**
 * Connects to a LUCIDAC with firmware 2.x and asks what it consists of. It changes nothing on the machine.
 *
 * Errors: BAD_ARGUMENT; CANNOT_CONNECT, NO_ANSWER, NOT_A_BOARD; VERSION_MISMATCH for firmware 1.x;
 * UNSUPPORTED for a machine of several carriers; BUSY, DEVICE_REFUSED, LINK_LOST, ABORTED. Nothing stays open
 * after one.
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
      hint: `Check that the LUCIDAC is on and in this network, and its address. It listens on port ${LUCIDAC_PORT}.`,
    });
  }
}

/**
 * A machine with firmware 1.x speaks lines of JSON. It may wait for the end of a line, or complain of the one
 * that it got.
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
    `The LUCIDAC at ${connection.name} has firmware 1.x, which speaks lines of JSON.`,
    {
      cause: error,
      hint: 'Update its firmware to 2.0.1 or later, as its maker describes; this program speaks protocol 2.x only.',
      data: { firstBytes: [...connection.firstBytes] },
    },
  );
}
