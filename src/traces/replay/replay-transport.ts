import type { Port } from '../../../firmware-protocol/port.js';
import type { ThermolinkError } from '../../errors.js';
import { ServedDevice } from '../../serve/serve-device.js';
import { memoryPortPair } from '../../transport/memory-port.js';
import {
  BadUri,
  decodedPath,
  encodedPath,
  readParameters,
  type Transport,
  type TransportOptions,
  wholeNumber,
} from '../../transport/transport.js';
import type { ReplayDevice } from './replay-device.js';
import { ReplayPort } from './replay-port.js';
import { REPLAY_MODES, type ReplayMode } from './request-matcher.js';

/** The address of a recorded session, from a device URI. */
export interface ReplayAddress {
  readonly kind: 'replay';
  readonly file: string;
  readonly mode: ReplayMode;
  /** Speed as a multiple of the recorded speed; Infinity: at once. */
  readonly speed: number;
  /** Number of the session, from 1. Absent: all sessions, one after another. */
  readonly session?: number;
}

/** A running replay. Its program may continue it on another port. */
interface RunningReplay {
  readonly device: ReplayDevice;
  port: ReplayPort | undefined;
  /** The error that ended the replay. */
  mismatch: ThermolinkError | undefined;
}

/** The replays of this process, by the address object that their program opened. */
const running = new WeakMap<ReplayAddress, RunningReplay>();

const SESSIONS_MAX = 1_000_000;

/** Recorded sessions: a replay from the file takes the place of the board. */
export const replayTransport: Transport<ReplayAddress> = {
  scheme: 'replay',
  form: 'replay:FILE.mcap[?mode=strict|semantic|lenient&timing=instant|recorded|2x]',
  parse({ path, parameters }) {
    if (path === '') throw new BadUri('a recorded session needs a file: replay:session.mcap');
    const {
      mode = 'strict',
      timing = Infinity,
      session,
    } = readParameters(parameters, {
      mode: modeParameter,
      timing: timingParameter,
      session: wholeNumber({ min: 1, max: SESSIONS_MAX }),
    });
    return {
      kind: 'replay',
      file: decodedPath(path),
      mode,
      speed: timing,
      ...(session === undefined ? {} : { session }),
    };
  },
  open: openReplay,
  rediscover: (address) => Promise.resolve(address),
  suggest: (text) =>
    /\.mcap(\?|$)/i.test(text) ? `the URI of a recorded session is replay:${encodedPath(text)}` : undefined,
};

function modeParameter(text: string): ReplayMode {
  const mode = REPLAY_MODES.find((name) => name === text);
  if (!mode) throw new BadUri(`mode=${text} is not one of ${REPLAY_MODES.join(', ')}`);
  return mode;
}

/** Reads the speed, as a multiple of the recorded speed. */
function timingParameter(text: string): number {
  if (text === 'instant') return Infinity;
  if (text === 'recorded') return 1;
  const speed = Number(/^(\d+(?:\.\d+)?)x$/.exec(text)?.[1]);
  if (!(speed > 0)) throw new BadUri(`timing=${text} is not instant, recorded, or a factor such as 2x`);
  return speed;
}

async function openReplay(address: ReplayAddress, { uri, clock }: TransportOptions): Promise<Port> {
  const replay = running.get(address) ?? (await beginReplay(address));
  if (replay.mismatch) throw replay.mismatch;
  const [host, board] = memoryPortPair(uri);
  const port = new ReplayPort(host, () => (replay.port === port ? replay.device.leftOver : undefined));
  replay.port = port;
  new ServedDevice(replay.device, board, { clock });
  return port;
}

/** Reads the file and makes its replay. The packages for this are loaded only here. */
async function beginReplay(address: ReplayAddress): Promise<RunningReplay> {
  const { createReplay } = await import('./create-replay.js');
  const replay: RunningReplay = {
    device: await createReplay(address.file, address.session, {
      mode: address.mode,
      speed: address.speed,
      onMismatch: (error) => {
        replay.mismatch = error;
        replay.port?.fail(error);
      },
      onPortLost: () => replay.port?.lose(),
      callOf: (requestId) => replay.port?.callOf(requestId),
    }),
    port: undefined,
    mismatch: undefined,
  };
  running.set(address, replay);
  return replay;
}
