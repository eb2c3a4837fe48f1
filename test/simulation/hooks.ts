/**
 * The places where the simulator looks into host and board. They wrap public methods of the product's
 * classes, which stay as they are. There is one witness at a time, because one scenario is simulated at a
 * time.
 */

import { Board } from '../../emulator/firmware/board.js';
import { Dispatcher } from '../../emulator/firmware/dispatcher.js';
import { ProgramMemory } from '../../emulator/firmware/program-memory.js';
import { RunEngine } from '../../emulator/firmware/run-engine.js';
import { EmulatedDevice } from '../../emulator/index.js';
import { CHANNEL } from '../../firmware-protocol/framing.js';
import { CommandSender } from '../../firmware-protocol/link/command-sender.js';
import { Link, type LinkEvent } from '../../firmware-protocol/link/link.js';
import type { CommandName, Event } from '../../firmware-protocol/messages/index.js';
import { Connection } from '../../src/driver/connection.js';
import { Device } from '../../src/driver/device.js';
import { RunKeeper } from '../../src/driver/run-keeper.js';
import type { RunStream } from '../../src/driver/run-stream.js';

/** Follows one call of the host. */
export interface AskedCall {
  /** The request was given its number and is about to be sent. */
  registered(requestId: number): void;
  answered(): void;
  failed(error: unknown): void;
}

export interface Witness {
  /** The host's user calls stop. The returned function is called when the stop is reported done. */
  hostStops(): () => void;
  hostAsks(connection: Connection, name: CommandName, fields: unknown): AskedCall;
  linkOpened(link: Link, nonce: Uint8Array): void;
  linkClosed(link: Link): void;
  /** The link delivers the message of this command frame. */
  linkTook(link: Link, seq: number): void;
  /** Called when all unacknowledged frames will be sent again. */
  senderResumed(sender: CommandSender): void;
  /**
   * The link's sender was asked for its next frame. The arguments are the due time of the oldest frame before
   * the call, and how often the returned frame was sent.
   */
  senderPolled(sender: CommandSender, dueBeforeMs: number | undefined, sendings: number | undefined): void;
  /** `parts`: the payload, in pieces. */
  linkSends(link: Link, parts: readonly Uint8Array[]): void;
  /** The board has received a message; `handle` lets it act. */
  boardHears(dispatcher: Dispatcher, payload: Uint8Array, handle: () => void): void;
  /** An event of the board. */
  boardDid(effect: string): void;
  boardDisconnected(device: EmulatedDevice): void;
  blockSent(run: RunEngine, block: Event<'sampleBlock'>): void;
  /** Called when the host has the answer to its start. */
  runKnown(keeper: RunKeeper, runId: number, watchdogMs: number): void;
  /** Called when the host has the board's report of a run. */
  runReported(report: Event<'runEnded'>): void;
  credited(run: RunEngine, blocks: number): void;
}

let witness: Witness | undefined;

export function setWitness(next: Witness | undefined): void {
  witness = next;
  // Other tests of the same process need the original methods.
  for (const replace of replacements) replace(next !== undefined);
}

/** Calls `act` without a witness. */
export function unwitnessed(act: () => void): void {
  const before = witness;
  witness = undefined;
  try {
    act();
  } finally {
    witness = before;
  }
}

/** Each function installs one replacement, or restores the original. */
const replacements: ((isWitnessed: boolean) => void)[] = [];

type Method = (this: unknown, ...args: never[]) => unknown;

/** Replaces a method by one that gets the original as an argument. */
function around<K extends string>(
  prototype: { [name in K]: unknown },
  name: K,
  replacement: (original: (...args: unknown[]) => unknown, self: never, args: never) => unknown,
): void {
  const original = prototype[name] as Method;
  const wrapped = function (this: unknown, ...args: unknown[]): unknown {
    return replacement((...given) => original.apply(this, given as never[]), this as never, args as never);
  };
  replacements.push((isWitnessed) => {
    const value = isWitnessed ? wrapped : original;
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
  });
}

type RequestArguments = [
  CommandName,
  unknown,
  ({ accepts?: (message: unknown) => boolean } & object) | undefined,
];

around(Connection.prototype, 'request', (original, self: Connection, args: RequestArguments) => {
  const [name, fields, options] = args;
  if (!witness) return original(...args);
  const call = witness.hostAsks(self, name, fields);
  const accepts = options?.accepts ?? (() => true);
  const seen = {
    ...options,
    // The connection reads this after it has numbered the request.
    get accepts() {
      call.registered(self.lastRequestId);
      return accepts;
    },
  };
  const outcome = original(name, fields, seen) as Promise<unknown>;
  outcome.then(
    () => call.answered(),
    (error: unknown) => call.failed(error),
  );
  return outcome;
});

around(Device.prototype, 'stop', (original, _, args: unknown[]) => {
  const done = witness?.hostStops();
  const outcome = original(...args) as Promise<void>;
  outcome.then(done, () => undefined);
  return outcome;
});

around(Link.prototype, 'openSession', (original, self: Link, args: [Uint8Array]) => {
  witness?.linkOpened(self, args[0]);
  return original(...args);
});

around(Link.prototype, 'closeSession', (original, self: Link) => {
  witness?.linkClosed(self);
  return original();
});

type Deliver = (event: LinkEvent) => void;

around(Link.prototype, 'receive', (original, self: Link, args: [Uint8Array, number, Deliver]) => {
  const [bytes, nowMs, deliver] = args;
  if (!witness) return original(...args);
  const seen = (event: LinkEvent): void => {
    if (event.kind === 'message' && event.channel === CHANNEL.command)
      witness?.linkTook(self, self.frames.notes.at(-1)!.seq);
    deliver(event);
  };
  return original(bytes, nowMs, seen);
});

around(CommandSender.prototype, 'resume', (original, self: CommandSender) => {
  original();
  witness?.senderResumed(self);
});

around(CommandSender.prototype, 'next', (original, self: CommandSender, args: [number]) => {
  const dueBeforeMs = self.nextTimeoutMs;
  const frame = original(...args) as { readonly sendings: number } | undefined;
  witness?.senderPolled(self, dueBeforeMs, frame?.sendings);
  return frame;
});

around(Link.prototype, 'send', (original, self: Link, args: Uint8Array[]) => {
  witness?.linkSends(self, args);
  return original(...args);
});

around(Dispatcher.prototype, 'receive', (original, self: Dispatcher, args: [number, Uint8Array]) => {
  if (!witness) return original(...args);
  witness.boardHears(self, args[1], () => original(...args));
  return undefined;
});

around(Board.prototype, 'input', (original, _, args: [string]) => {
  original(...args);
  witness?.boardDid(args[0]);
});

for (const name of ['define', 'write', 'setRegisters', 'commit'] as const)
  around(ProgramMemory.prototype, name, (original, _, args: unknown[]) => {
    const result = original(...args);
    witness?.boardDid(name);
    return result;
  });

around(EmulatedDevice.prototype, 'disconnect', (original, self: EmulatedDevice) => {
  original();
  witness?.boardDisconnected(self);
});

around(RunEngine.prototype, 'takeBlock', (original, self: RunEngine) => {
  const block = original() as Event<'sampleBlock'> | undefined;
  if (block) witness?.blockSent(self, block);
  return block;
});

around(RunEngine.prototype, 'grant', (original, self: RunEngine, args: [number, number]) => {
  witness?.credited(self, args[0]);
  return original(...args);
});

around(RunKeeper.prototype, 'add', (original, self: RunKeeper, args: [RunStream, number]) => {
  original(...args);
  witness?.runKnown(self, args[0].runId, args[1]);
});

around(RunKeeper.prototype, 'takeReport', (original, _, args: [Event<'runEnded'>]) => {
  witness?.runReported(args[0]);
  return original(...args);
});
