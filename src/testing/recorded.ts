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
   * `strict` (default): the same requests in the same order. `semantic`: reads may be repeated or left out.
   * `lenient`: answers are found by what is asked.
   */
  readonly mode?: 'strict' | 'semantic' | 'lenient';
}

/**
 * The board of a recorded session. It answers as it was recorded, without the board. It is closed when the
 * test ends; then recorded messages that nobody asked for fail the test. Outside of a test the caller closes
 * it.
 *
 * Errors: BAD_FILE; those of `connect`.
 */
export async function replayed(file: string | URL, options: ReplayedOptions = {}): Promise<Device> {
  const { mode = 'strict', ...rest } = options;
  const device = await connect(`replay:${encodedPath(pathOf(file))}?mode=${mode}`, rest);
  if (TestRunner.getCurrentTest()) onTestFinished(() => device.close());
  return device;
}

/** Errors of `connect` that say that there is no board. */
const ABSENT: readonly string[] = ['CANNOT_CONNECT', 'PORT_NOT_FOUND', 'NO_ANSWER', 'BAD_DEVICE_URI'];

/**
 * The recorded session, if there is one. Else the board at `uri`, and what passes is recorded in `file`: the
 * file appears when the test has passed. `uri` undefined: the board that THERMOLINK_DEVICE names.
 *
 * When both are missing, the test fails in CI (the variable CI is set) and is skipped elsewhere; outside of a
 * test NO_ANSWER is thrown. Errors: those of `replayed` and `connect`.
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
    hint: 'Run the test once where the board is, and commit the recording.',
    cause,
  });
}

/** A failed test leaves no recording, because it would be replayed from then on. */
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
