import { type Die, type DynamicFault, EmulatedDevice, findProfile, PROFILES } from '../../emulator/index.js';
import { U32_MAX } from '../../firmware-protocol/limits.js';
import type { Port } from '../../firmware-protocol/port.js';
import { checkWhole } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import { memoryPortPair } from '../transport/memory-port.js';
import {
  BadUri,
  decodedPath,
  encodedPath,
  readParameters,
  type Transport,
  type TransportOptions,
  wholeNumber,
} from '../transport/transport.js';
import { checkFaults, FAULT_FORM, parseFaults } from './fault-list.js';
import { readProfile } from './profile-file.js';
import { ServedDevice } from './serve-device.js';

/** An emulated board in a device URI. */
export interface EmulatorAddress {
  readonly kind: 'emulator';
  /** A board type by its name, or by the file that describes it. */
  readonly profile: string | { readonly file: string };
  /** Which fabricated board of the type; u32. */
  readonly dieSeed: number;
  /** What will break while the board works. */
  readonly faults?: readonly DynamicFault[];
}

/**
 * Boards that are emulated in this process, as fast as the machine can. Several at once get
 * threads of their own.
 */
export const emulatorTransport: Transport<EmulatorAddress> = {
  scheme: 'emulator',
  form: 'emulator:PROFILE[?die=SEED&faults=…], emulator:file=PATH[?…]',
  parse({ path, parameters }) {
    const file = /^file=(.*)$/s.exec(path)?.[1];
    if (file === '') throw new BadUri('file= needs a path');
    const meant =
      file === undefined && !findProfile(path)
        ? suggestEmulator(`emulator:${unescaped(path)}${queryOf(parameters)}`)
        : undefined;
    if (meant !== undefined) throw new BadUri(meant);
    if (file === undefined && !findProfile(path))
      throw new ThermolinkError('UNKNOWN_PROFILE', `The emulator has no profile ${JSON.stringify(path)}.`, {
        hint: `Choose one of ${PROFILES.map(({ name }) => name).join(', ')}, or describe your own: emulator:file=board.json.`,
      });
    const { die = 1, faults } = readParameters(parameters, {
      die: wholeNumber({ min: 0, max: U32_MAX }),
      faults: faultList,
    });
    return {
      kind: 'emulator',
      profile: file === undefined ? path : { file: decodedPath(file) },
      dieSeed: die,
      faults,
    };
  },
  open: openEmulator,
  // A board that restarted, or that gave up its session, is the same board when it is asked for again.
  rediscover: (address) => Promise.resolve(boardsByAddress.has(address) ? address : undefined),
  suggest: suggestEmulator,
};

/** The board that was opened for an address, for the connection that holds this address. */
const boardsByAddress = new WeakMap<EmulatorAddress, EmulatedDevice>();

function suggestEmulator(text: string): string | undefined {
  const [, written, query = ''] = /^(?:emulator:)?(.*?)(\?(?:die|faults)=.*)?$/is.exec(text)!;
  const isUri = /^emulator:/i.test(text);
  // Two slashes begin a host in other URIs; one, or a third, begins a path.
  const name = isUri ? written.replace(/^\/\//, '') : written;
  const profile = findProfile(name.toLowerCase().replace(/^\/+/, isUri ? '' : '$&'));
  if (profile) return `an emulated board is written emulator:${profile.name}${query}`;
  const file = /^(?:file=)?(.+\.json)$/is.exec(name)?.[1];
  if (file === undefined) return undefined;
  return `a board that a file describes is written emulator:file=${encodedPath(file)}${query}`;
}

/** The path without its % escapes, if they are well-formed. */
function unescaped(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function queryOf(parameters: URLSearchParams): string {
  const known = [...parameters].filter(([name]) => name === 'die' || name === 'faults');
  return known.length === 0 ? '' : `?${known.map((pair) => pair.join('=')).join('&')}`;
}

function faultList(text: string, name: string): DynamicFault[] {
  const faults = parseFaults(text);
  if (!faults) throw new BadUri(`${name}=${text} is not ${FAULT_FORM}`);
  return faults;
}

/**
 * Emulated boards that compute in this thread. The references are weak: the list keeps no board in memory.
 */
let boardsHere: readonly WeakRef<Port>[] = [];

async function openEmulator(address: EmulatorAddress, options: TransportOptions): Promise<Port> {
  const { uri, clock, signal, ownThread } = options;
  const { profile, dieSeed, faults } = address;
  const known = boardsByAddress.get(address);
  if (known !== undefined) return serveHere(known, options);
  const type = typeof profile === 'string' ? findProfile(profile)! : await readProfile(profile.file);
  const die: Die = { profile: type, dieSeed, faults };
  checkFaults(die);
  boardsHere = boardsHere.filter((board) => board.deref()?.closed === false);
  if (!clock && (ownThread ?? boardsHere.length > 0)) {
    const { openBoardThread } = await import('./board-thread.js');
    return openBoardThread(die, uri, { signal });
  }
  const device = new EmulatedDevice(die);
  boardsByAddress.set(address, device);
  return serveHere(device, options);
}

function serveHere(device: EmulatedDevice, { uri, clock }: TransportOptions): Port {
  const [host, board] = memoryPortPair(uri);
  new ServedDevice(device, board, { clock });
  // A board with the caller's clock computes only when that clock says so, so it keeps nobody waiting.
  if (!clock) boardsHere = [...boardsHere, new WeakRef(host)];
  return host;
}

/**
 * The URI of the smallest ideal board with dense couplings that has `cells` cells, or of the largest one
 * there is. Errors: BAD_ARGUMENT.
 */
export function fittingEmulator(cells: number): string {
  checkWhole('cells', cells, 1);
  const dense = PROFILES.filter((profile) => profile.dense && profile.effects === null);
  const profile = dense.find((candidate) => candidate.cells >= cells) ?? dense.at(-1)!;
  return `emulator:${profile.name}`;
}
