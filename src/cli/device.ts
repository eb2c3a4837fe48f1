import { connect, DEVICE_VARIABLE, parseDeviceUri } from '../connect.js';
import type { Device } from '../driver/device.js';
import { ThermolinkError } from '../errors.js';
import { readInputFile } from '../files/input-file.js';
import type { RecordOptions } from '../traces/recorder.js';
import type { SampleDetail } from '../traces/sample-detail.js';
import type { LinkChunk } from '../traces/trace-message.js';
import { createLogger, type LogOptions } from './logging.js';
import { describeDeviceEvent } from './output/device-event.js';

/** The URI of the device: the option, or without it the environment variable, or without both `fallback`. */
export function deviceUri(option: string | undefined, fallback: string): string {
  return option ?? (process.env[DEVICE_VARIABLE] || fallback);
}

/**
 * The URIs of the devices: those of the option. Without the option, the one URI that `deviceUri` returns.
 * Errors: those of `refuseTwice`.
 */
export function deviceUris(option: readonly string[] | undefined, fallback: string): readonly string[] {
  if (option !== undefined) refuseTwice(option);
  return option ?? [deviceUri(undefined, fallback)];
}

/** URIs that may be given twice, because each use of them opens another board. */
const OWN_BOARDS = /^(emulator|replay):/;

/** Refuses two equal URIs of one board, since a board takes one client. Errors: BAD_ARGUMENT. */
export function refuseTwice(uris: readonly string[]): void {
  const twice = uris.find((uri, index) => uris.indexOf(uri) !== index && !OWN_BOARDS.test(uri));
  if (twice === undefined) return;
  throw new ThermolinkError('BAD_ARGUMENT', `\`devices\` names ${twice} twice.`, {
    hint: 'Name each board once. Only an emulated board may be named again: it becomes another board.',
    data: { uri: twice },
  });
}

/**
 * The profile file of the emulated board that the option or the environment names. Undefined for other
 * boards.
 */
export function deviceFile(option: string | undefined): string | undefined {
  try {
    const address = parseDeviceUri(deviceUri(option, ''));
    return address.kind === 'emulator' && typeof address.profile === 'object'
      ? address.profile.file
      : undefined;
  } catch {
    // Connecting tells what is wrong with the URI.
    return undefined;
  }
}

/** Whether the option or the environment names a LUCIDAC. */
export function isLucidac(option: string | undefined): boolean {
  try {
    return parseDeviceUri(deviceUri(option, '')).kind === 'lucidac';
  } catch {
    // Connecting tells what is wrong with the URI.
    return false;
  }
}

/** Codes of errors that the choice of the device may cause. */
export const CHOICE_ERRORS: readonly string[] = ['TOO_LARGE', 'UNSUPPORTED'];

/** How a command connects. */
export interface DeviceOptions extends LogOptions {
  /** Whether lost board runs are done again. */
  readonly retry?: boolean;
  /** The file that the session is recorded in. */
  readonly record?: string | undefined;
  /** Whether the JSON of the recording holds every sample. */
  readonly recordSamples?: boolean | undefined;
  /** The cells whose statistics the JSON of the recording holds. */
  readonly recordCells?: readonly number[] | undefined;
  /** The calibration file that the command uses. The recording contains it. */
  readonly calibration?: string | undefined;
  /** Called with all bytes as they pass between host and board. */
  readonly onBytes?: (chunk: LinkChunk) => void;
  /** Called when a lost board run is done again. */
  readonly onRepeat?: () => void;
  /** Whether an emulated board computes in a thread of its own. */
  readonly ownThread?: boolean;
}

/**
 * Connects, works, and closes the device in any case. Closing stops a board run. If the environment named the
 * device, an error about the device says so, since a variable of a shell profile is easily forgotten.
 */
export async function withDevice<T>(
  uri: string,
  options: DeviceOptions,
  signal: AbortSignal,
  work: (device: Device) => Promise<T>,
): Promise<T> {
  const device = await open(uri, options, signal);
  let result: T;
  try {
    result = await work(device);
  } catch (error) {
    // The error of the work tells more than that of closing.
    await device.close().catch(() => undefined);
    throw error instanceof ThermolinkError && CHOICE_ERRORS.includes(error.code)
      ? namingVariable(error, uri)
      : error;
  }
  await device.close();
  return result;
}

/** Like `withDevice`, with a device for each URI, in their order. Each has a recording of its own. */
export async function withDevices<T>(
  uris: readonly string[],
  options: DeviceOptions,
  signal: AbortSignal,
  work: (devices: readonly Device[]) => Promise<T>,
  opened: readonly Device[] = [],
): Promise<T> {
  if (opened.length === uris.length) return work(opened);
  const record = recordOf(options.record, opened.length + 1);
  return withDevice(uris[opened.length], { ...options, record }, signal, (device) =>
    withDevices(uris, options, signal, work, [...opened, device]),
  );
}

/** The file of the recording of one board, such as `session-2.mcap` for the second board of a command. */
export function recordOf(file: string | undefined, boardNumber: number): string | undefined {
  if (file === undefined || boardNumber === 1) return file;
  return /\.[^./\\]+$/.test(file)
    ? file.replace(/\.[^./\\]+$/, `-${boardNumber}$&`)
    : `${file}-${boardNumber}`;
}

async function open(uri: string, options: DeviceOptions, signal: AbortSignal): Promise<Device> {
  const logger = await createLogger(options);
  try {
    return await connect(uri, {
      signal,
      log: logger?.child({ device: uri }),
      retry: options.retry,
      ownThread: options.ownThread,
      record: await recordOptions(options),
      onBytes: options.onBytes,
      onEvent: (event) => {
        if (event.kind === 'repeating') options.onRepeat?.();
        process.stderr.write(`${describeDeviceEvent(event)}\n`);
      },
    });
  } catch (error) {
    throw error instanceof ThermolinkError && error.code !== 'ABORTED' ? namingVariable(error, uri) : error;
  }
}

async function recordOptions({
  record,
  calibration,
  ...detail
}: DeviceOptions): Promise<RecordOptions | undefined> {
  const samples = sampleDetail(record, detail);
  if (record === undefined) return undefined;
  const mediaType = 'application/json';
  return {
    file: record,
    ...(calibration !== undefined && {
      attachments: [{ name: 'calibration.json', mediaType, data: await readInputFile(calibration) }],
    }),
    samples,
    onWarning: ({ message }) => process.stderr.write(`${message}\n`),
  };
}

/**
 * Which samples the JSON of a recording holds, by the options. Throws BAD_ARGUMENT if such an option is given
 * without a recording.
 */
export function sampleDetail(
  record: string | undefined,
  { recordSamples, recordCells }: Pick<DeviceOptions, 'recordSamples' | 'recordCells'>,
): SampleDetail {
  const inert = recordSamples ? '--record-samples' : recordCells ? '--record-cells' : undefined;
  if (record === undefined && inert !== undefined)
    throw new ThermolinkError('BAD_ARGUMENT', `${inert} needs --record.`, {
      hint: 'Name the file of the recording, for example --record session.mcap.',
    });
  return { all: recordSamples === true, ...(recordCells && { cells: recordCells }) };
}

/**
 * Returns the error. If the environment variable names the device, the hint of the error says so.
 */
export function namingVariable(error: ThermolinkError, uri: string): ThermolinkError {
  if (process.env[DEVICE_VARIABLE] !== uri) return error;
  const { code, message, cause, hint, retryable, data } = error;
  const source = `The device is the one in the environment variable ${DEVICE_VARIABLE}; --device overrides it.`;
  return new ThermolinkError(code, message, {
    cause,
    retryable,
    hint: hint === undefined ? source : `${hint} ${source}`,
    data: { ...data, deviceFrom: DEVICE_VARIABLE },
  });
}
