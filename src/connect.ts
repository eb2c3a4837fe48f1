import type { Clock } from '../firmware-protocol/clock.js';
import type { Port } from '../firmware-protocol/port.js';
import {
  badArgument,
  checkObject,
  checkOptionalFlag,
  checkOptionalFunction,
  checkSignal,
  checkText,
} from './argument-checks.js';
import { Device } from './driver/device.js';
import { openLastingDevice } from './driver/first-session.js';
import type { Logger } from './driver/logger.js';
import type { DeviceEvent, ReconnectOptions } from './driver/reconnect.js';
import { ThermolinkError } from './errors.js';
import { lucidacTransport } from './lucidac/lucidac-uri.js';
import { emulatorTransport } from './serve/emulator-transport.js';
import type { Recorder, RecordOptions } from './traces/recorder.js';
import { replayTransport } from './traces/replay/replay-transport.js';
import type { LinkChunk } from './traces/trace-message.js';
import { hubsTransport, hubTransport } from './transport/hub-port.js';
import { serialTransport } from './transport/serial-port.js';
import { tcpTransport } from './transport/tcp-port.js';
import { BadUri, type Transport } from './transport/transport.js';

/** All transports. A new transport needs one more entry here (docs/how-to/add-a-transport.md). */
const TRANSPORTS = [
  emulatorTransport,
  tcpTransport,
  hubTransport,
  hubsTransport,
  serialTransport,
  replayTransport,
  lucidacTransport,
] as const;

/** The address of a device, as its transport reads it from a URI. The field `kind` names the transport. */
export type DeviceAddress = ReturnType<(typeof TRANSPORTS)[number]['parse']>;

/** How each kind of device URI is written. */
export const DEVICE_FORMS: readonly string[] = TRANSPORTS.map(({ form }) => form);
const FORMS = DEVICE_FORMS.join(', ');

/** How a device is connected. */
export interface ConnectOptions {
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** Default: logs nothing. */
  readonly log?: Logger;
  /**
   * Whether and how to look for the board again after its port is lost. Default: for 30 s. A board on USB is
   * found by its identity, even when its path has changed. An emulated board in this process cannot be lost.
   */
  readonly reconnect?: boolean | Omit<ReconnectOptions, 'openPort'>;
  /**
   * Whether an emulated board computes in a thread of its own. Default: true if another emulated board
   * computes in this thread already. Pass true for boards that work at the same time; then no board waits for
   * another. It has no effect together with `clock`.
   */
  readonly ownThread?: boolean;
  /** Called at every step of reconnecting, and when a lost board run is done again. */
  readonly onEvent?: (event: DeviceEvent) => void;
  /**
   * Whether algorithms, measurements and trainings repeat a lost board run, with the same bits. Default true.
   * If false, they end with the error of the first loss.
   */
  readonly retry?: boolean;
  /**
   * Records everything that passes between host and board in this MCAP file. The file must not exist yet. The
   * recording ends when the device is closed (docs/reference/traces.md).
   */
  readonly record?: string | RecordOptions;
  /** Called with all bytes that pass between host and board. The bytes are valid only during the call. */
  readonly onBytes?: (chunk: LinkChunk) => void;
}

/** The environment variable with the device URI for commands without a device option. */
export const DEVICE_VARIABLE = 'THERMOLINK_DEVICE';

/**
 * Takes a device URI apart. A parameter that the scheme does not have is an error. Errors: BAD_ARGUMENT for a
 * value that is not text; BAD_DEVICE_URI; UNKNOWN_PROFILE.
 */
export function parseDeviceUri(uri: string): DeviceAddress {
  return locate(uri).address;
}

/** Finds the transport of a URI and the address in it. Errors: those of `parseDeviceUri`. */
function locate(uri: string): { transport: Transport<DeviceAddress>; address: DeviceAddress } {
  if (typeof uri !== 'string') throw badArgument('The device URI', uri, 'a text', `Use ${FORMS}.`);
  try {
    const match = /^([a-z][a-z0-9+.-]*):([^?#]*)(?:\?([^#]*))?$/i.exec(uri);
    if (!match)
      throw new BadUri(suggestion(uri) ?? (uri.includes('#') ? 'a # is written %23' : 'it is not a URI'));
    const [, scheme, path, query = ''] = match;
    const transport: Transport<DeviceAddress> | undefined = TRANSPORTS.find(
      (candidate) => candidate.scheme === scheme.toLowerCase(),
    );
    const parameters = new URLSearchParams(query);
    for (const name of new Set(parameters.keys()))
      if (parameters.getAll(name).length > 1) throw new BadUri(`${name} is given twice`);
    if (!transport) throw new BadUri(suggestion(uri) ?? `there is no transport ${scheme}: in this build`);
    return { transport, address: transport.parse({ path, parameters }) };
  } catch (error) {
    if (!(error instanceof BadUri)) throw error;
    throw new ThermolinkError('BAD_DEVICE_URI', `${JSON.stringify(uri)} is not a device: ${error.message}.`, {
      hint: `Use ${FORMS}.`,
    });
  }
}

/**
 * Guesses the URI that was meant by a text that is not a URI; undefined if no transport recognises the text.
 * Blanks around the text are ignored, because people paste them along.
 */
function suggestion(text: string): string | undefined {
  const transports: readonly Transport<DeviceAddress>[] = TRANSPORTS;
  return transports.map(({ suggest }) => suggest?.(text.trim())).find((advice) => advice !== undefined);
}

/**
 * Connects to the device that a URI names. Errors: BAD_ARGUMENT, those of `parseDeviceUri`, of opening the
 * port, and of `Device.open`; BAD_FILE for a recording. After an error nothing stays open.
 */
export async function connect(uri: string, options: ConnectOptions = {}): Promise<Device> {
  checkObject('options', options, '{ signal: controller.signal }');
  checkSignal(options.signal);
  checkOptionalFunction('onEvent', options.onEvent);
  checkOptionalFlag('ownThread', options.ownThread);
  checkOptionalFlag('retry', options.retry);
  checkRecord(options.record);
  checkOptionalFunction('onBytes', options.onBytes);
  const { clock, signal, log, onEvent, ownThread, retry, record, onBytes, reconnect = true } = options;
  const { transport, address } = locate(uri);
  const recorder = record === undefined ? undefined : await startRecording(record, uri, address, clock);
  const listener = onBytes && (await listenerOf(onBytes, clock));
  const open = async (where: DeviceAddress, ended?: AbortSignal): Promise<Port> => {
    const port = await transport.open(where, { uri, clock, ownThread, signal: ended });
    const recorded = recorder?.tap(port) ?? port;
    return listener?.tap(recorded) ?? recorded;
  };
  try {
    const port = await open(address, signal);
    const again = reconnect === false ? undefined : await transport.rediscover?.(address);
    const shared = { clock, signal, log, onEvent, retry, whenClosed: recorder && (() => recorder.close()) };
    if (again === undefined) return await Device.open(port, shared);
    const times = reconnect === true ? {} : reconnect;
    return await openLastingDevice(port, { ...times, openPort: (ended) => open(again, ended) }, shared);
  } catch (error) {
    await recorder?.abandon();
    throw error;
  }
}

/**
 * Opens the port that a URI names, for programs that speak the protocol themselves. Errors: those of
 * `parseDeviceUri` and of opening the port.
 */
export async function openPort(
  uri: string,
  options: Pick<ConnectOptions, 'signal' | 'clock' | 'ownThread'> = {},
): Promise<Port> {
  const { transport, address } = locate(uri);
  const { clock, signal, ownThread } = options;
  return transport.open(address, { uri, clock, signal, ownThread });
}

/** Imported here, so that only a program that listens loads this module. */
async function listenerOf(onBytes: (chunk: LinkChunk) => void, clock: Clock | undefined) {
  const { PortListener } = await import('./traces/look/port-listener.js');
  return new PortListener(onBytes, clock);
}

/** Imported here, so that only a program that records loads this module. */
async function startRecording(
  record: string | RecordOptions,
  uri: string,
  address: DeviceAddress,
  clock: Clock | undefined,
): Promise<Recorder> {
  const { recordDevice } = await import('./traces/record-device.js');
  const options = typeof record === 'string' ? { file: record } : record;
  return recordDevice(options, {
    uri,
    clock,
    emulator: address.kind === 'emulator' ? address : undefined,
  });
}

function checkRecord(record: ConnectOptions['record']): void {
  if (record === undefined) return;
  if (typeof record === 'string') checkText('record', record);
  else {
    checkObject('record', record, "{ file: 'session.mcap' }");
    checkText('record.file', record.file);
    checkOptionalFunction('record.onWarning', record.onWarning);
  }
}
