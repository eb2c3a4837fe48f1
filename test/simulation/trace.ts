import type { DeviceStateName } from '../../firmware-protocol/device-status.js';
import { CHANNEL, FrameDecoder } from '../../firmware-protocol/framing.js';
import { MESSAGES } from '../../firmware-protocol/messages/index.js';
import type { FaultName } from './faults.js';
import { peek } from './peek.js';
import type { Direction } from './test-rig.js';

/** The sign for the direction in a failure report. */
const ARROW: Readonly<Record<Direction, string>> = { toBoard: 'host → board', toHost: 'board → host' };

interface Entry {
  readonly atMs: number;
  readonly state: DeviceStateName;
  readonly direction?: Direction;
  readonly bytes?: Uint8Array;
  readonly fault?: FaultName | undefined;
  readonly note?: string;
}

const ENTRIES_KEPT = 48;
const CHANNEL_NAMES = Object.keys(CHANNEL);

/** The last messages and events of a simulation. They become text only for a failure report. */
export class Trace {
  readonly #entries: Entry[] = [];
  #next = 0;
  /** Every write, for sessions that are stored for the fuzzer. */
  onWrite: ((direction: Direction, bytes: Uint8Array) => void) | undefined;

  write(
    atMs: number,
    state: DeviceStateName,
    direction: Direction,
    bytes: Uint8Array,
    fault?: FaultName,
  ): void {
    this.onWrite?.(direction, bytes);
    this.#add({ atMs, state, direction, bytes, fault });
  }

  note(atMs: number, state: DeviceStateName, note: string): void {
    this.#add({ atMs, state, note });
  }

  /** Oldest first, one line each. */
  get lines(): string[] {
    return [...this.#entries.slice(this.#next), ...this.#entries.slice(0, this.#next)].map(line);
  }

  #add(entry: Entry): void {
    this.#entries[this.#next] = entry;
    this.#next = (this.#next + 1) % ENTRIES_KEPT;
  }
}

function line({ atMs, state, direction, bytes, fault, note }: Entry): string {
  const head = `${atMs.toFixed(3).padStart(11)} ms  ${state.padEnd(10)}`;
  if (note !== undefined) return `${head}  ${note}`;
  return `${head}  ${ARROW[direction!]}  ${content(bytes!)}${fault ? `  ← ${fault}` : ''}`;
}

function content(bytes: Uint8Array): string {
  const item = new FrameDecoder(65536).push(bytes)[0];
  if (item?.kind !== 'frame') return `${bytes.length} bytes that are no frame`;
  const { channel, session, flags, seq, ack, payload } = item.frame;
  const { opcode, requestId } = peek(payload);
  const message = MESSAGES.find((row) => row.opcode === opcode)?.name;
  const what = payload.length === 0 ? 'nothing' : `${message ?? 'unknown'} ${requestId ?? ''}`;
  const nak = flags ? ' nak' : '';
  return `${CHANNEL_NAMES[channel]} session ${session.toString(16)} seq ${seq} ack ${ack}${nak}: ${what}`;
}
