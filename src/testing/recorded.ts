import { existsSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { onTestFinished, TestRunner } from 'vitest';
import { type ConnectOptions, connect, DEVICE_VARIABLE } from '../connect.js';
import type { Device } from '../driver/device.js';
import { ThermolinkError } from '../errors.js';
import { encodedPath } from '../transport/transport.js';

/** How a recorded session is replayed. */
export interface ReplayedOptions extends Pick<ConnectOptions, 'signal' | 'log'> {
  /**
   * `strict` (default): the same requests in the same order. `semantic`: reads may be repeated or omitted.
   * `lenient`: the recorded answer to an equal request is used, in any order.
   */
  readonly mode?: 'strict' | 'semantic' | 'lenient';
}

/**
 * The board of a recorded session. It gives the recorded answers, without the board. It is closed when the
 * test ends. If the test did not request all recorded messages, it fails then. Outside of a test the caller
 * closes it.
 *
 * Errors: BAD_FILE; those of `connect`.
 */
export async function replayed(file: string | URL, options: ReplayedOptions = {}): Promise<Device> {
  const { mode = 'strict', ...rest } = options;
  const device = await connect(`replay:${encodedPath(pathOf(file))}?mode=${mode}`, rest);
  if (TestRunner.getCurrentTest()) onTestFinished(() => device.close());
  return device;
}

/** Errors of `connect` that mean that there is no board. */
const ABSENT: readonly string[] = ['CANNOT_CONNECT', 'PORT_NOT_FOUND', 'NO_ANSWER', 'BAD_DEVICE_URI'];

/**
 * Returns the recorded session if `file` exists. Otherwise connects to the board at `uri` and records the
 * session; the recording becomes `file` when the test has passed. If `uri` is undefined, THERMOLINK_DEVICE
 * names the board.
 *
 * If there is neither a recording nor a board, the test fails in CI (the variable CI is set), and is skipped
 * elsewhere. Outside of a test NO_ANSWER is thrown. Errors: those of `replayed` and `connect`.
 */
export async function recordedOr(
  uri: string | undefined,
  file: string | URL,
  options: ReplayedOptions = {},
): Promise<Device> {
  const path = pathOf(file);
  if (existsSync(path)) return replayed(path, options);
  const board = uri ?? process.env[DEVICE_VARIABLE];
  const unfinished = `${path}.unfinished`;
  rmSync(unfinished, { force: true });
  const { mode: _, ...rest } = options;
  try {
    if (!board) throw missing(path, 'no board is named');
    const device = await connect(board, { ...rest, record: unfinished });
    keepWhenPassed(device, unfinished, path);
    return device;
  } catch (error) {
    rmSync(unfinished, { force: true });
    if (!(error instanceof ThermolinkError) || !ABSENT.includes(error.code)) throw error;
    const test = TestRunner.getCurrentTest();
    const both = error.message.startsWith('There is no recording')
      ? error
      : missing(path, error.message, error);
    if (process.env['CI'] || !test) throw both;
    test.context.skip(both.message);
    throw both;
  }
}

function missing(path: string, why: string, cause?: unknown): ThermolinkError {
  return new ThermolinkError('NO_ANSWER', `There is no recording ${path}, and no board to make it: ${why}.`, {
    hint: 'Run the test once on a machine with the board, and commit the recording.',
    cause,
  });
}

/** A failed test leaves no recording, because later tests would replay it. */
function keepWhenPassed(device: Device, unfinished: string, path: string): void {
  if (!TestRunner.getCurrentTest()) {
    const close = device.close.bind(device);
    device.close = async () => {
      await close();
      if (existsSync(unfinished)) renameSync(unfinished, path);
    };
    return;
  }
  onTestFinished(async ({ task }) => {
    await device.close();
    if (task.result?.state === 'fail') rmSync(unfinished, { force: true });
    else renameSync(unfinished, path);
  });
}

function pathOf(file: string | URL): string {
  return typeof file === 'string' ? file : fileURLToPath(file);
}
