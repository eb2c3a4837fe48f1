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

/** The address of an emulated board, from a device URI. */
export interface EmulatorAddress {
  readonly kind: 'emulator';
  /** Name of a board type, or the file that describes it. */
  readonly profile: string | { readonly file: string };
  /** Die seed: selects one fabricated board of the type; u32. */
  readonly dieSeed: number;
  /** Faults that occur while the board works. */
  readonly faults?: readonly DynamicFault[];
}

/**
 * Emulated boards in this process, as fast as the machine allows. If several are open, the further ones run
 * in separate threads.
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
  // Opening an address again gives the same board, also after a restart of the board or the end of its
  // session.
  rediscover: (address) => Promise.resolve(boardsByAddress.has(address) ? address : undefined),
  suggest: suggestEmulator,
};

/** The board that was opened for each address object. */
const boardsByAddress = new WeakMap<EmulatorAddress, EmulatedDevice>();

function suggestEmulator(text: string): string | undefined {
  const [, written, query = ''] = /^(?:emulator:)?(.*?)(\?(?:die|faults)=.*)?$/is.exec(text)!;
  const isUri = /^emulator:/i.test(text);
  // Two slashes are allowed before the name, as in other URIs. A single slash, or a third one, begins a path.
  const name = isUri ? written.replace(/^\/\//, '') : written;
  const profile = findProfile(name.toLowerCase().replace(/^\/+/, isUri ? '' : '$&'));
  if (profile) return `the URI of an emulated board is emulator:${profile.name}${query}`;
  const file = /^(?:file=)?(.+\.json)$/is.exec(name)?.[1];
  if (file === undefined) return undefined;
  return `the URI of a board from a file is emulator:file=${encodedPath(file)}${query}`;
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
 * Ports of emulated boards that compute in this thread. The references are weak, so the list keeps no board
 * in memory.
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
  // A board with the clock of the caller computes only when that clock advances, so it does not delay other
  // boards.
  if (!clock) boardsHere = [...boardsHere, new WeakRef(host)];
  return host;
}

/**
 * The URI of the smallest ideal board with dense couplings and at least `cells` cells; if no board is large
 * enough, that of the largest ideal board. Errors: BAD_ARGUMENT.
 */
export function fittingEmulator(cells: number): string {
  checkWhole('cells', cells, 1);
  const dense = PROFILES.filter((profile) => profile.dense && profile.effects === null);
  const profile = dense.find((candidate) => candidate.cells >= cells) ?? dense.at(-1)!;
  return `emulator:${profile.name}`;
}
