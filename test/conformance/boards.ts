import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import type { Port } from '../../firmware-protocol/port.js';
import { type ClauseResult, checkBoard } from '../../src/cli/commands/conformance/check-board.js';
import type { Clause } from '../../src/cli/commands/conformance/clause.js';
import { CLAUSES } from '../../src/cli/commands/conformance/clauses/index.js';
import { ServedDevice } from '../../src/serve/serve-device.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { type Mutation, mutantPort } from './mutant-port.js';

/**
 * The number of ticks of a slice is small. A slice takes no virtual time, so an endless run would compute for
 * ever in a long slice.
 */
const SLICE_TICKS = 64;

const BEAT_MS = 20;

/** The clauses with these ids. */
export function clausesOf(...ids: readonly string[]): Clause[] {
  return CLAUSES.filter(({ id }) => ids.includes(id));
}

/** Checks an emulated board in virtual time. A mutation, if one is given, changes the frames of the board. */
export function checkInMemory(
  clauses: readonly Clause[],
  {
    profile = 'ideal-8',
    mutation,
    clock = new VirtualClock(),
  }: { readonly profile?: string; readonly mutation?: Mutation; readonly clock?: VirtualClock } = {},
): Promise<ClauseResult[]> {
  const [host, end] = memoryPortPair('the emulated board');
  new ServedDevice(new EmulatedDevice({ profile: findProfile(profile)!, dieSeed: 1 }), end, {
    clock,
    sliceTicksMax: SLICE_TICKS,
  });
  const port: Port = mutation ? mutantPort(host, mutation) : host;
  const { signal } = new AbortController();
  // The regular beat keeps the clock from jumping to a deadline while a message of many chunks is on its way.
  const beat = (): void => void clock.schedule(BEAT_MS, beat);
  beat();
  const checked = checkBoard({ clauses, open: async () => port, severalConnections: false, clock, signal });
  return clock.run(checked);
}
