import type { ToHost } from '../../firmware-protocol/codec.js';
import type { CommandName } from '../../firmware-protocol/messages/index.js';
import { assert, type ThermolinkError } from '../errors.js';
import { outcomeError } from './call-errors.js';

/** A sequenced command waits under its request id; HELLO and stop, which are repeated, under their name. */
export type PendingKey = number | 'hello' | 'stop';

export interface PendingCall {
  readonly name: CommandName;
  /** Whether this message answers this call; another one is of an earlier call and ignored. */
  readonly accepts: (message: ToHost) => boolean;
  readonly settle: (message: Extract<ToHost, { requestId: number }>) => void;
  readonly fail: (error: ThermolinkError) => void;
  /** Whether the board may have it. */
  readonly wasSent: () => boolean;
}

function keyOf(message: ToHost): PendingKey {
  const { name } = message;
  if (name === 'hello' || name === 'helloRefused') return 'hello';
  return name === 'stop' ? 'stop' : message.requestId;
}

/** Calls that were sent and wait for their answer. */
export class PendingCalls {
  readonly #calls = new Map<PendingKey, PendingCall>();
  /** As many as calls that were given up and never answered; each is a run that somebody has to end. */
  readonly #late = new Map<
    PendingKey,
    { readonly name: CommandName; readonly take: (answer: unknown) => void }
  >();

  /** A call has been given up; its answer, should it come, is handed to `take`. */
  expect(key: PendingKey, name: CommandName, take: (answer: unknown) => void): void {
    this.#late.set(key, { name, take });
  }

  add(key: PendingKey, call: PendingCall): void {
    assert(!this.#calls.has(key), `a second ${call.name} before the first has ended`);
    this.#calls.set(key, call);
  }

  remove(key: PendingKey): void {
    this.#calls.delete(key);
  }

  /** The answer of a call that was given up is of no use to anybody, unless it is expected. */
  answer(message: Extract<ToHost, { requestId: number }>): void {
    const key = keyOf(message);
    const call = this.#calls.get(key);
    if (call?.accepts(message)) call.settle(message);
    const late = this.#late.get(key);
    if (!late) return;
    this.#late.delete(key);
    if (message.kind === 'answer' && message.name === late.name) late.take(message.fields);
  }

  /** Ends the HELLO in progress, if there is one. */
  failHello(error: ThermolinkError): void {
    this.#calls.get('hello')?.fail(error);
  }

  /** Ends all of them: with this error, or OUTCOME_UNKNOWN where the command was sent and may have been executed. */
  failAll(error: ThermolinkError): void {
    for (const call of [...this.#calls.values()])
      call.fail(call.wasSent() ? outcomeError(call.name, error) : error);
    this.#late.clear();
  }
}
