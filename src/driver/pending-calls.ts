import type { ToHost } from '../../firmware-protocol/codec.js';
import type { CommandName } from '../../firmware-protocol/messages/index.js';
import { assert, type ThermolinkError } from '../errors.js';
import { outcomeError } from './call-errors.js';

/** A command is found by its request id. HELLO and stop have no id and are found by their name. */
export type PendingKey = number | 'hello' | 'stop';

export interface PendingCall {
  readonly name: CommandName;
  /** Whether this message answers this call. A message that answers an earlier call is ignored. */
  readonly accepts: (message: ToHost) => boolean;
  readonly settle: (message: Extract<ToHost, { requestId: number }>) => void;
  readonly fail: (error: ThermolinkError) => void;
  /** Whether the command was sent, so the board may have received it. */
  readonly wasSent: () => boolean;
}

function keyOf(message: ToHost): PendingKey {
  const { name } = message;
  if (name === 'hello' || name === 'helloRefused') return 'hello';
  return name === 'stop' ? 'stop' : message.requestId;
}

/** The calls that wait for their answer. */
export class PendingCalls {
  readonly #calls = new Map<PendingKey, PendingCall>();
  /**
   * Calls that were given up and whose answer may still come. Only calls of `start` are kept, because their
   * runs then have to be ended.
   */
  readonly #late = new Map<
    PendingKey,
    { readonly name: CommandName; readonly take: (answer: unknown) => void }
  >();

  /** Keeps a call that was given up. If its answer comes, `take` gets it. */
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

  /** Hands an answer to its call. The answer of a call that was given up is dropped unless it is expected. */
  answer(message: Extract<ToHost, { requestId: number }>): void {
    const key = keyOf(message);
    const call = this.#calls.get(key);
    if (call?.accepts(message)) call.settle(message);
    const late = this.#late.get(key);
    if (!late) return;
    this.#late.delete(key);
    if (message.kind === 'answer' && message.name === late.name) late.take(message.fields);
  }

  /** Fails the HELLO in progress, if there is one. */
  failHello(error: ThermolinkError): void {
    this.#calls.get('hello')?.fail(error);
  }

  /**
   * Fails all calls: with OUTCOME_UNKNOWN if the command may have been executed, otherwise with this error.
   */
  failAll(error: ThermolinkError): void {
    for (const call of [...this.#calls.values()])
      call.fail(call.wasSent() ? outcomeError(call.name, error) : error);
    this.#late.clear();
  }
}
