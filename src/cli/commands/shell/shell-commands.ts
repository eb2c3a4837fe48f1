import type { Device } from '../../../driver/device.js';
import { ThermolinkError } from '../../../errors.js';
import { readSquareMatrix, readVector } from '../../../files/read-array.js';
import { type Matrix, matrix } from '../../../linalg/matrix.js';
import { counted, formatNumber, formatSeconds } from '../../../number-text.js';
import { nonNegativeNumber, positiveInteger, type ValueParser } from '../../options/values.js';
import { formatTable } from '../../output/table.js';
import { acknowledgeBoard, acknowledgedText } from '../acknowledge/acknowledge.js';
import { counterTable, infoText, readFacts } from '../info/info.js';
import { runDirectly } from '../run/direct-program.js';
import { readingsText } from '../run/run.js';
import { checkBoard, checkText, refuseFailed } from '../selftest/selftest.js';
import { stopBoard, stoppedText } from '../stop/stop.js';

/** The context of a command of the shell. */
export interface ShellUse {
  readonly device: Device;
  readonly uri: string;
  /** The words after its name. */
  readonly words: readonly string[];
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface ShellCommand {
  /** The form of the command, for `help`. */
  readonly form: string;
  readonly help: string;
  /** Words that Tab completes after its name. */
  readonly words?: readonly string[];
  readonly run: (use: ShellUse) => Promise<{ readonly json: object; readonly text: string }>;
  /** Whether the connection is opened again after the command. */
  readonly reconnects?: true;
}

const SOLVE_SEED = 0;
const SOLVE_TOLERANCE = 0.01;
const PINGS_MAX = 10_000;

/** The settings of `run`, and what they take. */
const RUN_SETTINGS: Readonly<Record<string, ValueParser<number>>> = {
  settle: nonNegativeNumber,
  samples: positiveInteger(1_000_000),
  noise: nonNegativeNumber,
  damping: nonNegativeNumber,
  drive: nonNegativeNumber,
  seed: nonNegativeNumber,
};

const COMMANDS: Readonly<Record<string, ShellCommand>> = {
  info: {
    form: 'info',
    help: 'identity, state and counters of the board',
    async run({ device, uri, words, signal }) {
      takesNone('info', words);
      const report = { device: uri, ...(await readFacts(device, signal)) };
      return { json: report, text: infoText(report) };
    },
  },
  status: {
    form: 'status',
    help: 'state, fault, last run, tick',
    async run({ device, words, signal }) {
      takesNone('status', words);
      const status = await device.readStatus({ signal });
      const rows = Object.entries(status).map(([name, value]) => [name, String(value)]);
      return { json: status, text: formatTable(rows) };
    },
  },
  counters: {
    form: 'counters',
    help: 'counters of both ends of the link',
    async run({ device, words, signal }) {
      takesNone('counters', words);
      const counters = await device.readCounters({ signal });
      const link = { counters: device.linkCounters };
      return { json: { counters, link }, text: counterTable({ counters, link }) };
    },
  },
  ping: {
    form: 'ping [n]',
    help: 'round trips',
    async run({ device, words: [count = '1', ...more], signal }) {
      takesNone('ping', more);
      const tripsMs: number[] = [];
      for (let left = positiveInteger(PINGS_MAX)(count, 'ping'); left > 0; left--)
        tripsMs.push(await device.ping({ signal }));
      const [least, greatest] = [Math.min(...tripsMs), Math.max(...tripsMs)];
      const range = `${formatSeconds(least / 1000)} to ${formatSeconds(greatest / 1000)}`;
      return { json: { tripsMs }, text: `${counted(tripsMs.length, 'round trip')}: ${range}\n` };
    },
  },
  run: {
    form: 'run [settle=τ] [samples=n] [noise=κ] [damping=g] [drive=e] [seed=s]',
    help: 'run uncoupled cells once, in the units of the board',
    words: Object.keys(RUN_SETTINGS).map((name) => `${name}=`),
    async run({ device, uri, words, signal }) {
      const given = settingsOf(words);
      const request = { settle: 16, samples: 1, noise: 0, damping: 1, drive: 0.25, seed: 0, ...given };
      const result = await runDirectly(
        device,
        { ...request, every: 1, bank: 0, couplings: undefined },
        signal,
      );
      return { json: result, text: readingsText(uri, result) };
    },
  },
  solve: {
    form: 'solve A b',
    help: 'solve a small system, given as files or as 4,1;1,3 1;2',
    async run({ device, words, signal }) {
      const [a, b, ...more] = words;
      if (a === undefined || b === undefined || more.length > 0)
        throw usage('solve takes A and b', 'Write for example: solve 4,1;1,3 1;2');
      const { solve } = await import('../../../algorithms/solve/solve.js');
      const result = await solve(device, {
        system: { kind: 'dense', matrix: await matrixOf(a) },
        drive: await vectorOf(b),
        tolerance: SOLVE_TOLERANCE,
        address: { seed: SOLVE_SEED, step: 0, block: 0 },
        signal,
      });
      const solution = [...result.x];
      const { relativeResidual, samples } = result;
      const rows = solution.map((x, i) => [`x[${i}]`, formatNumber(x, 4)]);
      return {
        json: { solution, relativeResidual, samples },
        text: formatTable([...rows, ['residual', formatNumber(relativeResidual)]]),
      };
    },
  },
  selftest: {
    form: 'selftest',
    help: 'check latched faults, a round trip and a small solve',
    async run({ device, uri, words, signal }) {
      takesNone('selftest', words);
      const check = await checkBoard(device, signal);
      refuseFailed(uri, check);
      return { json: check, text: checkText(uri, check) };
    },
  },
  stop: {
    form: 'stop',
    help: 'put the board into safe at once: its outputs go off',
    async run({ device, uri, words, signal }) {
      takesNone('stop', words);
      const status = await stopBoard(device, signal);
      return { json: status, text: stoppedText(uri, status) };
    },
  },
  acknowledge: {
    form: 'acknowledge',
    help: 'clear a fault or an overload, or leave safe',
    async run({ device, uri, words, signal }) {
      takesNone('acknowledge', words);
      const result = await acknowledgeBoard(device, signal);
      return { json: result, text: acknowledgedText(uri, result) };
    },
  },
  reset: {
    form: 'reset',
    help: 'restart the board and connect again',
    reconnects: true,
    async run({ device, uri, words, signal }) {
      takesNone('reset', words);
      const { bootEpoch } = device.identity;
      await device.reset({ signal });
      return { json: { bootEpochBefore: bootEpoch }, text: `${uri} has answered and restarts.\n` };
    },
  },
  connect: {
    form: 'connect',
    help: 'connect again, in a new session',
    reconnects: true,
    async run({ words }) {
      takesNone('connect', words);
      return { json: {}, text: '' };
    },
  },
};

/** Commands that the shell itself executes. */
const OWN = { help: 'this list', exit: 'end the shell; Ctrl-D too' };

/** The words of a line. */
export function wordsOf(line: string): string[] {
  return line.split(/\s+/).filter((word) => word !== '');
}

/** The command of this name. Errors: BAD_ARGUMENT for an unknown name. */
export function findCommand(name: string): ShellCommand {
  if (Object.hasOwn(COMMANDS, name)) return COMMANDS[name];
  throw usage(`There is no command ${name}`, `There are ${[...names()].join(', ')}.`);
}

function names(): string[] {
  return [...Object.keys(COMMANDS), ...Object.keys(OWN)];
}

/** The text that `help` prints. */
export function helpText(): string {
  const rows = [...Object.values(COMMANDS).map(({ form, help }) => [form, help]), ...Object.entries(OWN)];
  return formatTable(rows);
}

/** The completions of a line for the Tab key, in the form of readline. */
export function completeLine(line: string): [string[], string] {
  const words = line.split(/\s+/);
  const last = words[words.length - 1];
  const offered =
    words.length === 1 ? names() : (Object.hasOwn(COMMANDS, words[0]) && COMMANDS[words[0]].words) || [];
  return [offered.filter((word) => word.startsWith(last)), last];
}

function settingsOf(words: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    words.map((word) => {
      const [name, text] = word.split('=', 2);
      if (!Object.hasOwn(RUN_SETTINGS, name) || text === undefined)
        throw usage(`run does not take ${word}`, `It takes ${Object.keys(RUN_SETTINGS).join('=, ')}=.`);
      return [name, RUN_SETTINGS[name](text, name)];
    }),
  );
}

/** `4,1;1,3` is a matrix. Any other text is the name of a file. */
async function matrixOf(text: string): Promise<Matrix> {
  const rows = inlineRows(text);
  if (rows === undefined) return readSquareMatrix(text);
  if (rows.some((row) => row.length !== rows.length))
    throw usage(`${text} is no square matrix`, 'Separate entries by commas and rows by semicolons.');
  return matrix(rows.length, rows.length, Float64Array.from(rows.flat()));
}

async function vectorOf(text: string): Promise<Float64Array> {
  const rows = inlineRows(text);
  return rows === undefined ? readVector(text) : Float64Array.from(rows.flat());
}

function inlineRows(text: string): number[][] | undefined {
  if (!/^[-+.\deE,;]+$/.test(text)) return undefined;
  return text.split(';').map((row) => row.split(',').map(Number));
}

function takesNone(name: string, words: readonly string[]): void {
  if (words.length > 0) throw usage(`${name} does not take ${words.join(' ')}`, 'See `help`.');
}

function usage(message: string, hint: string): ThermolinkError {
  return new ThermolinkError('BAD_ARGUMENT', `${message}.`, { hint });
}
