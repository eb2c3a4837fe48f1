import { setTimeout as sleep } from 'node:timers/promises';
import { drawSamples } from '../../../algorithms/sample.js';
import { checkSystem } from '../../../board/checked-system.js';
import { DEVICE_VARIABLE } from '../../../connect.js';
import type { Device } from '../../../driver/device.js';
import { ThermolinkError } from '../../../errors.js';
import { READ_FORMATS, readSquareMatrix } from '../../../files/read-array.js';
import { matrix } from '../../../linalg/matrix.js';
import { TraceFollower } from '../../../traces/look/follow-trace.js';
import { LiveSession } from '../../../traces/look/live-figures.js';
import { defineCommand } from '../../command.js';
import { deviceFile, deviceUri, sampleDetail, withDevice } from '../../device.js';
import { checkFiles } from '../../input/check-files.js';
import { JSON_OUTPUT, LOG, RECORD } from '../../options/groups.js';
import { flag, type OptionValues, option } from '../../options/option.js';
import { cellList } from '../../options/ranges.js';
import { decimalUpTo, positiveInteger } from '../../options/values.js';
import { withInterrupt } from '../../output/interrupt.js';
import { MonitorDisplay } from './monitor-display.js';

/** The time between two looks for new data in a recording. */
const POLL_MS = 200;
/** Number of draws between two looks. It is enough for a mean and a spread. */
const DRAWS = 64;
const INTERVAL_SECONDS_MAX = 86_400;
/** Largest number of cells of the uncoupled system. */
const CELLS_MAX = 64;
/**
 * Largest number of looks in a row without an answer of the board. Each look waits for the board as long as a
 * call does.
 */
const FAILURES_MAX = 10;

const OPTIONS = {
  device: option('--device <uri>', 'open this board and watch it'),
  trace: option('--trace <file>', 'watch a session that another program records in this file', {
    file: 'input' as const,
    dash: { kind: 'refused', why: 'the recording is read again as it grows' },
  }),
  interval: option('--interval <s>', 'seconds between two looks', {
    value: decimalUpTo(INTERVAL_SECONDS_MAX),
    default: 1,
  }),
  count: option('--count <n>', 'end after this number of looks', { value: positiveInteger(1_000_000_000) }),
  cells: option('--cells <list>', 'cells whose readings are shown', {
    value: cellList,
    default: [0, 1, 2, 3, 4, 5, 6, 7] as readonly number[],
  }),
  draw: flag('--draw', `with --device: draw ${DRAWS} times from N(0, P⁻¹) before each look; loads a program`),
  matrix: option('--matrix <file>', `P of --draw as ${READ_FORMATS} (default: uncoupled cells, P = 1)`, {
    file: 'input' as const,
  }),
  messages: flag('--messages', 'print messages as they pass'),
  ...RECORD,
  ...JSON_OUTPUT,
  ...LOG,
};

type MonitorOptions = OptionValues<typeof OPTIONS>;

export const command = defineCommand({
  options: OPTIONS,
  example: `
Examples:
  thermolink monitor --device serial:/dev/ttyACM0
  thermolink monitor --device emulator:prototype-8 --draw --cells 0-3
  thermolink solve --matrix A.csv --rhs b.csv --record session.mcap & thermolink monitor --trace session.mcap

A board has one client at a time. --device opens the board and asks it; --trace watches the session of another program
through the file that it records. Ctrl-C ends the command: a run of --draw is stopped, and the board is left safe.`,
  async run(options) {
    checkSource(options);
    await checkFiles(OPTIONS, options, { '--device': deviceFile(options.device) });
    const display = new MonitorDisplay({ json: options.json === true, messages: options.messages === true });
    try {
      await withInterrupt((signal) =>
        options.trace === undefined
          ? watchBoard(options, display, signal)
          : watchTrace(options.trace, options, display, signal),
      );
    } finally {
      display.end();
    }
  },
});

function checkSource({ device, trace, draw, matrix, record, ...detail }: MonitorOptions): void {
  const refuse = (problem: string, hint: string): never => {
    throw new ThermolinkError('BAD_ARGUMENT', problem, { hint });
  };
  if (matrix !== undefined && !draw) refuse('--matrix needs --draw.', 'It is the P of its draws.');
  sampleDetail(record, detail);
  if (trace !== undefined) {
    const inert = [device && '--device', draw && '--draw', record && '--record'].find(Boolean);
    if (inert) refuse(`${inert} and --trace exclude each other.`, '--trace only reads a file.');
  } else if (device === undefined && !process.env[DEVICE_VARIABLE])
    refuse('There is nothing to watch.', 'Name a board by --device or a recording by --trace.');
}

/** Opens the board and asks it at every look. */
async function watchBoard(
  options: MonitorOptions,
  display: MonitorDisplay,
  signal: AbortSignal,
): Promise<void> {
  const uri = deviceUri(options.device, '');
  const precision = options.draw ? await precisionOf(options.matrix) : undefined;
  const session = new LiveSession(options.cells);
  const listen = {
    onBytes: (chunk: Parameters<LiveSession['push']>[0]) => session.push(chunk, display.message),
  };
  try {
    await withDevice(uri, { ...options, ...listen }, signal, async (board) => {
      let failures = 0;
      for (let look = 1; ; look++) {
        try {
          if (options.draw) await draw(board, precision, look, signal);
          const asked = await ask(board, signal);
          display.look({ uri, ...session.look(), ...asked });
          failures = 0;
        } catch (error) {
          if (!isPassing(error, signal) || ++failures > FAILURES_MAX) throw error;
          display.note(`${error.code}: ${error.message}`);
        }
        if (look === options.count) return;
        await sleep(1000 * options.interval, undefined, { signal });
      }
    });
  } catch (error) {
    // Ctrl-C is the usual end. The board is closed by now.
    if (!signal.aborted) throw error;
  }
}

function isPassing(error: unknown, signal: AbortSignal): error is ThermolinkError {
  return error instanceof ThermolinkError && error.retryable && !signal.aborted;
}

async function precisionOf(file: string | undefined) {
  return file === undefined
    ? undefined
    : checkSystem({ kind: 'dense', matrix: await readSquareMatrix(file) });
}

type Precision = Awaited<ReturnType<typeof precisionOf>>;

async function draw(board: Device, precision: Precision, look: number, signal: AbortSignal): Promise<void> {
  await drawSamples(board, {
    precision: precision ?? uncoupled(Math.min(CELLS_MAX, board.identity.cells)),
    count: DRAWS,
    address: { seed: 0, step: look, block: 0 },
    signal,
  });
}

function uncoupled(cells: number) {
  const ones = matrix(cells, cells);
  for (let i = 0; i < cells; i++) ones.data[i * cells + i] = 1;
  return checkSystem({ kind: 'dense', matrix: ones });
}

/** Reads status and counters of the board. */
async function ask(board: Device, signal: AbortSignal) {
  const { state, fault, bootEpoch, runId, tick } = await board.readStatus({ signal });
  const counters = await board.readCounters({ signal });
  return { state, fault, bootEpoch, runId, tick, roundTripMs: await board.ping({ signal }), counters };
}

/** Reads a file while another program records into it. */
async function watchTrace(
  file: string,
  { interval, count, cells }: MonitorOptions,
  display: MonitorDisplay,
  signal: AbortSignal,
): Promise<void> {
  const follower = new TraceFollower(file);
  const session = new LiveSession(cells);
  let lastMs = performance.now();
  let isClosed = false;
  for (let look = 1; !isClosed && !signal.aborted; ) {
    const added = follower.poll();
    isClosed = added.isClosed;
    for (const chunk of added.chunks) session.push(chunk, display.message);
    const seconds = (performance.now() - lastMs) / 1000;
    if (seconds >= interval || isClosed || look === 1) {
      display.look({ trace: file, ...session.look() });
      lastMs = performance.now();
      if (look === count) return;
      look++;
    }
    if (!isClosed)
      await sleep(Math.min(POLL_MS, 1000 * interval), undefined, { signal }).catch(() => undefined);
  }
  if (isClosed) display.note('The recording has ended.');
}
