import path from 'node:path';
import {
  type Die,
  type DynamicFault,
  EmulatedDevice,
  findProfile,
  PROFILES,
} from '../../../../emulator/index.js';
import { ThermolinkError } from '../../../errors.js';
import { counted, formatCount } from '../../../number-text.js';
import { BoardServer, type ServerEvent, type ServerStatus } from '../../../serve/board-server.js';
import { checkFaults, FAULT_FORM, parseFaults } from '../../../serve/fault-list.js';
import { listenTcp } from '../../../serve/listen-tcp.js';
import { readProfile } from '../../../serve/profile-file.js';
import type { ServableDevice } from '../../../serve/serve-device.js';
import type { Recorder } from '../../../traces/recorder.js';
import type { SampleDetail } from '../../../traces/sample-detail.js';
import { openPty, PTY_FRAME_BYTES_MAX } from '../../../transport/pty.js';
import { serialUri } from '../../../transport/serial-uri.js';
import { parseHostPort, type TcpAddress } from '../../../transport/tcp-port.js';
import { defineCommand } from '../../command.js';
import { sampleDetail } from '../../device.js';
import { RECORD_DETAIL } from '../../options/groups.js';
import { flag, type OptionValues, option, optionOrFlag } from '../../options/option.js';
import { choice, u32, type ValueParser } from '../../options/values.js';
import { withInterrupt } from '../../output/interrupt.js';
import { StatusLine } from '../../output/status-line.js';

const REDRAW_MS = 250;
const DEFAULT_PROFILE = 'ideal-crossbar';
const DEFAULT_TCP: TcpAddress = { host: '127.0.0.1', port: 0 };

const tcpAddress: ValueParser<TcpAddress> = (text, name) => {
  const address = parseHostPort(text);
  if (address) return address;
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `${name} takes HOST:PORT, but was given ${JSON.stringify(text)}.`,
    {
      hint: 'For example 127.0.0.1:7000, 127.0.0.1:0 or [::1]:0.',
    },
  );
};

const faultList: ValueParser<readonly DynamicFault[]> = (text, name) => {
  const faults = parseFaults(text);
  if (faults) return faults;
  throw new ThermolinkError('BAD_ARGUMENT', `${name} was given ${JSON.stringify(text)}.`, {
    hint: `Write ${FAULT_FORM}.`,
  });
};

const PROFILE_NAMES = PROFILES.map(({ name }) => name);

const OPTIONS = {
  profile: option('--profile <name>', `one of ${PROFILE_NAMES.join(', ')} (default: ${DEFAULT_PROFILE})`, {
    value: choice(PROFILE_NAMES),
  }),
  file: option('--file <board.json>', 'a board type of your own; see docs/reference/device-model.md', {
    file: 'input',
  }),
  faults: option('--faults <list>', 'faults and their ticks: KIND[:CELL]@TICK, separated by commas', {
    value: faultList,
  }),
  die: option('--die <d>', 'die seed, which names one fabricated board, 0 to 2³² − 1', {
    value: u32,
    default: 1,
  }),
  seed: option('--seed <s>', 'boot epoch of this start, 0 to 2³² − 1 (default: from the clock)', {
    value: u32,
  }),
  tcp: option(
    '--tcp <host:port>',
    'listen at this address; port 0 takes any free port (default without --pty)',
    {
      value: tcpAddress,
    },
  ),
  pty: optionOrFlag('--pty [link]', 'make a pseudo-terminal, and a symlink to it (Linux, macOS)'),
  record: option('--record <file>', 'record the sessions of all clients (MCAP)', { file: 'own' }),
  ...RECORD_DETAIL,
  replay: option(
    '--replay <session.mcap>',
    'serve the board of a recorded session in place of an emulated one',
    {
      file: 'input',
    },
  ),
  json: flag('--json', 'print events as lines of JSON'),
};

type EmulateOptions = OptionValues<typeof OPTIONS>;

export const command = defineCommand({
  options: OPTIONS,
  example: `
Examples:
  thermolink emulate
  thermolink emulate --profile ideal-64 --tcp 127.0.0.1:7000 --pty /tmp/board
  thermolink emulate --file board.json --die 3 --faults deadCell@100000,brownOut@500000
  thermolink emulate --tcp 127.0.0.1:7000 --record session.mcap
  thermolink emulate --replay session.mcap
  thermolink info --device tcp://127.0.0.1:7000

One client at a time has the board; any other client gets the error BUSY. When a client leaves, its run is
stopped, and the board goes to safe and keeps its programs. A pseudo-terminal does not show that its client left:
there the watchdog stops the run, and the next client gets the board (on macOS after 10 s of silence).

--tcp takes addresses of this machine only: the bare protocol has no token, so everybody who can connect can drive
the board. For other machines use serve, which asks for a token:
  thermolink serve --device emulator:ideal-64 --listen 0.0.0.0:8100 --token-file tokens`,
  run: (options) => withInterrupt((signal) => serve(options, signal)),
});

/** The board that the options describe. */
async function dieOf({ profile, file, faults, die: dieSeed }: EmulateOptions): Promise<Die> {
  if (profile !== undefined && file !== undefined)
    throw new ThermolinkError('BAD_ARGUMENT', '--profile and --file exclude each other.', {
      hint: 'The file describes the whole board.',
    });
  const type = file === undefined ? findProfile(profile ?? DEFAULT_PROFILE)! : await readProfile(file);
  const die = { profile: type, dieSeed, ...(faults ? { faults } : {}) };
  checkFaults(die);
  return die;
}

/** A board to serve, and its name in messages. */
interface Served {
  readonly device: ServableDevice;
  readonly name: string;
  readonly facts: object;
  /** Called when a client has left. */
  readonly clientLeft: () => void;
  readonly recorder: Recorder | undefined;
}

async function emulated(options: EmulateOptions): Promise<Served> {
  // Every start has another boot epoch. By it a host that connects again sees that the board was restarted.
  const { seed: bootEpoch = Date.now() % 2 ** 32, record } = options;
  const samples = sampleDetail(record, options);
  const die = await dieOf(options);
  const { dieSeed, profile } = die;
  return {
    device: new EmulatedDevice(die, bootEpoch),
    name: `${profile.name}, die ${dieSeed}, boot ${bootEpoch}`,
    facts: { profile: profile.name, dieSeed, bootEpoch },
    clientLeft: () => undefined,
    recorder: record === undefined ? undefined : await recordBoard(record, samples, die, bootEpoch),
  };
}

async function recordBoard(
  file: string,
  samples: SampleDetail,
  die: Die,
  bootEpoch: number,
): Promise<Recorder> {
  const { Recorder } = await import('../../../traces/recorder.js');
  const onWarning = ({ message }: Error): boolean => process.stderr.write(`${message}\n`);
  const recorder = new Recorder({ file, samples, onWarning });
  recorder.addMetadata('device', { dieSeed: String(die.dieSeed), bootEpoch: String(bootEpoch) });
  recorder.attach('profile.json', 'application/json', `${JSON.stringify(die.profile, null, 2)}\n`);
  return recorder;
}

/** The board of a recorded session. Each client begins it anew, or goes on with the next session in it. */
async function replayed(file: string, options: EmulateOptions, print: Print): Promise<Served> {
  const { profile, file: profileFile, faults, record } = options;
  sampleDetail(record, options);
  if ([profile, profileFile, faults, record].some((given) => given !== undefined))
    throw new ThermolinkError('BAD_ARGUMENT', '--replay excludes --profile, --file, --faults and --record.', {
      hint: 'The recording says what the board is.',
    });
  const { createReplay } = await import('../../../traces/replay/create-replay.js');
  const device = await createReplay(file, undefined, {
    mode: 'strict',
    speed: Infinity,
    onMismatch: ({ message, data }) => print(message, { event: 'mismatch', message, ...data }),
    onPortLost: () => undefined,
  });
  const { frameBytesNeeded } = device;
  if (options.pty !== undefined && frameBytesNeeded > PTY_FRAME_BYTES_MAX)
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `${file} has messages in frames of ${frameBytesNeeded} bytes, and a pseudo-terminal carries ${PTY_FRAME_BYTES_MAX} at most.`,
      { hint: 'Serve it with --tcp, or record the session over a serial port: frames are shorter there.' },
    );
  return {
    device,
    name: `the board recorded in ${file}`,
    facts: { replay: file },
    recorder: undefined,
    clientLeft: () => {
      if (device.isBetweenSessions) return;
      const { leftOver } = device;
      if (leftOver) print(leftOver.message, { event: 'leftOver', ...leftOver.data });
      device.rewind();
    },
  };
}

type Print = (text: string, json: object) => void;

async function serve(options: EmulateOptions, signal: AbortSignal): Promise<void> {
  const status = new StatusLine();
  const print: Print = (text, json) => {
    status.clear();
    process.stdout.write(`${options.json ? JSON.stringify(json) : text}\n`);
  };
  const served =
    options.replay === undefined ? await emulated(options) : await replayed(options.replay, options, print);
  const { device, name, facts, recorder } = served;
  const board = new BoardServer(device, {
    onEvent: (event) => {
      print(eventText(event), event);
      if (event.event === 'left') served.clientLeft();
    },
    tap: recorder && ((port) => recorder.tap(port, 'device')),
  });
  const uris: string[] = [];
  const stops: (() => Promise<void>)[] = [];
  let timer: NodeJS.Timeout | undefined;
  try {
    if (options.tcp || options.pty === undefined) {
      const listener = await listenTcp(board, options.tcp ?? DEFAULT_TCP, {
        onError: (error) =>
          print(`a connection could not be accepted: ${error.message}`, {
            event: 'acceptFailed',
            message: error.message,
          }),
      });
      stops.push(listener.close);
      uris.push(listener.uri);
    }
    if (options.pty !== undefined) {
      const pty = await openPty(options.pty === true ? {} : { link: path.resolve(options.pty) });
      board.addLine(pty, () => pty.hasClient());
      uris.push(serialUri(pty.path));
    }
    const text = `${name}; connect by --device\n${uris.map((uri) => `  ${uri}`).join('\n')}`;
    print(text, { event: 'listening', ...facts, uris });
    let watchdogTrips = 0;
    let shownUntilMs = 0;
    timer = setInterval(() => {
      const { watchdogTrips: trips, runId, state } = device.board;
      if (trips > watchdogTrips)
        print(`the watchdog ended run ${runId}: its host fell silent; the board is ${state}`, {
          event: 'watchdog',
          runId,
          state,
        });
      watchdogTrips = trips;
      const { identifyUntilMs = 0 } = device.board;
      if (identifyUntilMs > shownUntilMs)
        print('a client asks which board it has: this one', { event: 'identify' });
      shownUntilMs = identifyUntilMs;
      status.draw(statusText(board.status));
    }, REDRAW_MS);
    await aborted(signal);
  } finally {
    clearInterval(timer);
    status.clear();
    // New clients are refused first; then the present ones are disconnected.
    const stopped = stops.map((stop) => stop());
    await board.close();
    await Promise.all(stopped);
    await recorder?.close();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

const REFUSALS = {
  busy: 'another client has the board',
  full: 'too many connections',
  silent: 'it sent no HELLO in time',
  version: 'it speaks another version of the protocol',
  hello: 'the board did not open its session',
} as const;

function eventText(event: ServerEvent): string {
  switch (event.event) {
    case 'connected':
      return `${event.client} has the board`;
    case 'left':
      return `${event.client} left${event.stoppedRunId === undefined ? '' : `, its run ${event.stoppedRunId} was stopped`}; the board is ${event.state}`;
    case 'refused':
      return `${event.client} was refused: ${REFUSALS[event.reason]}`;
  }
}

function statusText(status: ServerStatus): string {
  const { state, runId, tick, framesReceived, faults, client } = status;
  const run = runId === 0 ? 'no run' : `run ${runId} at tick ${formatCount(tick)}`;
  return `${state} │ ${run} │ ${counted(framesReceived, 'frame')}, ${counted(faults, 'fault')} │ ${client ?? 'no client'}`;
}
