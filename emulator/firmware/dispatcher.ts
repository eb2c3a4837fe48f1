/**
 * Takes payloads and sends answers. It applies the rules of sessions, of "at most once" and of stop. The
 * commands themselves are in handlers/.
 */
import { equalBytes } from '../../firmware-protocol/bytes.js';
import { decodeToDevice, encodeAnswer, encodeEvent, type ToDevice } from '../../firmware-protocol/codec.js';
import { DEVICE_STATE } from '../../firmware-protocol/device-status.js';
import { CHANNEL } from '../../firmware-protocol/framing.js';
import { ANSWER_CACHE_MAX, NONCE_BYTES } from '../../firmware-protocol/limits.js';
import type { Link } from '../../firmware-protocol/link/link.js';
import type { Command, Event } from '../../firmware-protocol/messages/index.js';
import { FAULT, HELLO_PURPOSE, REFUSAL, type RefusalCode } from '../../firmware-protocol/messages/system.js';
import type { Board } from './board.js';
import { calibrationHandlers } from './handlers/calibration.js';
import type { HandledCommand, HandlerContext, Handlers, Session } from './handlers/handlers.js';
import { programHandlers } from './handlers/program.js';
import { runHandlers } from './handlers/run.js';
import { systemHandlers } from './handlers/system.js';
import { answerHello, refuseHello, staleHello } from './hello.js';
import { Refused } from './refused.js';
import type { RunEngine } from './run-engine.js';

const HANDLERS: Handlers = {
  ...systemHandlers,
  ...programHandlers,
  ...runHandlers,
  ...calibrationHandlers,
};
const REFUSAL_DETAIL_MAX = 96;

export function noSession(): Session {
  return { nonce: new Uint8Array(NONCE_BYTES), lastRunId: 0, lastRequestId: 0, answers: new Map() };
}

/** The part of the device that understands messages. HELLO replaces `session`. */
export class Dispatcher {
  session: Session = noSession();
  readonly #board: Board;
  readonly #link: Link;
  readonly #resetAfterAnswer: () => void;

  constructor(board: Board, link: Link, resetAfterAnswer: () => void) {
    this.#board = board;
    this.#link = link;
    this.#resetAfterAnswer = resetAfterAnswer;
  }

  receive(channel: number, payload: Uint8Array, nowMs: number): void {
    const message = decodeToDevice(payload);
    // protocol.md, "Messages that are rejected".
    if (message.kind === 'bad') {
      this.#link.counters.messagesRejected++;
      if (channel === CHANNEL.command && message.opcode !== undefined && message.requestId !== undefined) {
        const reason = message.reason === 'unknown opcode' ? REFUSAL.unknownCommand : REFUSAL.badMessage;
        this.#refuse(message.opcode, message.requestId, reason, message.reason);
      }
      return;
    }
    // A message on a wrong channel is counted and not executed.
    if (CHANNEL[message.row.channel] !== channel) {
      this.#link.counters.messagesRejected++;
      return;
    }
    if (message.kind === 'event') {
      if (message.name === 'credit') this.#credit(message.fields);
      else if (message.name === 'resend') this.#resend(message.fields);
    } else if (message.name === 'hello') this.#hello(message.requestId, message.fields);
    else if (message.name === 'stop') this.#stop(message.requestId, message.fields);
    else this.#command(message, nowMs);
  }

  #credit({ runId, blocks, released }: Event<'credit'>): void {
    this.#run(runId)?.grant(blocks, released);
  }

  #resend({ runId, firstBlock, count }: Event<'resend'>): void {
    this.#run(runId)?.resend(firstBlock, count);
  }

  /** The run with this number: the one in progress, or the last one that was reported. */
  #run(runId: number): RunEngine | undefined {
    return [this.#board.run, this.#board.lastRun].find((run) => run?.runId === runId);
  }

  /** Opens a session, resumes one (protocol.md, "Resuming a session"), or refuses. */
  #hello(requestId: number, fields: Command<'hello'>): void {
    // A nonce of zeros names no session. It comes from a host that forgot to choose a nonce.
    if (fields.nonce.every((byte) => byte === 0)) {
      this.#link.counters.messagesRejected++;
      return;
    }
    const resumed = this.#link.sessionOpen && equalBytes(fields.nonce, this.session.nonce);
    const opens = !resumed && fields.purpose === HELLO_PURPOSE.open;
    const isStale = opens && this.#beginsLikeAnother(fields.nonce);
    const refusal = refuseHello(fields) ?? (isStale ? staleHello(fields) : undefined);
    if (refusal) {
      this.#link.sendUnsequenced(CHANNEL.open, encodeEvent('helloRefused', requestId, refusal));
      return;
    }
    const answer = answerHello(this.#board, fields, resumed);
    if (resumed) this.#link.resumeSession();
    else if (opens) {
      this.#board.sessionEnded(this.session.nonce);
      this.#board.input('sessionOpened');
      this.#board.dropRun();
      this.#board.runId = 0;
      this.#board.stopNumber = 0;
      this.#board.cancelledUpTo = 0;
      this.session = { ...noSession(), nonce: fields.nonce.slice() };
      this.#link.openSession(fields.nonce, {
        frameBytes: Math.min(fields.frameBytes, answer.frameBytes),
        window: Math.min(fields.window, answer.window),
        inFlightBytes: answer.inFlightBytes,
      });
    }
    this.#link.sendUnsequenced(CHANNEL.open, encodeAnswer('hello', requestId, answer));
  }

  /**
   * Whether the first byte of a nonce is that of the open session, or of a session that has ended lately.
   * Frames carry only the first byte, so late frames of that session would be taken for frames of the new
   * session (protocol.md, "Nonces").
   */
  #beginsLikeAnother(nonce: Uint8Array): boolean {
    const open = this.#link.sessionOpen ? [this.session.nonce] : [];
    return [...open, ...this.#board.endedSessions].some((other) => other[0] === nonce[0]);
  }

  /** Executes a stop, once for each number, and answers it (protocol.md, "Stop"). */
  #stop(requestId: number, fields: Command<'stop'>): void {
    const board = this.#board;
    if (!equalBytes(fields.nonce, this.session.nonce)) return;
    if (fields.stopNumber > board.stopNumber) {
      board.stopNumber = fields.stopNumber;
      board.cancelledUpTo = Math.max(board.cancelledUpTo, fields.lastRequestId);
      board.input('stopped');
    }
    const answer = { stopNumber: fields.stopNumber, state: DEVICE_STATE[board.state] };
    this.#link.sendUnsequenced(CHANNEL.stop, encodeAnswer('stop', requestId, answer));
  }

  #command(message: Extract<ToDevice, { kind: 'command'; name: HandledCommand }>, nowMs: number): void {
    const { requestId, row, name } = message;
    const { session } = this;
    // Commands count from 1; 0 is for HELLO and stop (protocol.md, "Messages that are rejected").
    if (requestId === 0) {
      this.#link.counters.messagesRejected++;
      this.#refuse(row.opcode, requestId, REFUSAL.badMessage, 'request id 0');
      return;
    }
    // An earlier request gets its kept answer, or `stale` (protocol.md, "At most once").
    if (row.delivery === 'once' && requestId <= session.lastRequestId) {
      const answer = session.answers.get(requestId);
      if (answer) this.#link.send(answer);
      else this.#refuse(row.opcode, requestId, REFUSAL.stale, 'answered long ago');
      return;
    }
    session.lastRequestId = Math.max(session.lastRequestId, requestId);
    // A stop came before this command (protocol.md, "Stop").
    if (requestId <= this.#board.cancelledUpTo) {
      this.#refuse(row.opcode, requestId, REFUSAL.cancelled, `by stop ${this.#board.stopNumber}`);
      return;
    }
    const context: HandlerContext = {
      board: this.#board,
      link: this.#link,
      session,
      nowMs,
      resetAfterAnswer: this.#resetAfterAnswer,
    };
    try {
      const handler = HANDLERS[name] as (c: HandlerContext, fields: unknown) => never;
      const answer = encodeAnswer(name, requestId, handler(context, message.fields));
      this.#link.send(answer);
      if (row.delivery === 'once') this.#remember(requestId, answer);
    } catch (error) {
      const { reason, detail } = error instanceof Refused ? error : this.#latchFault(error);
      this.#refuse(row.opcode, requestId, reason, detail);
    }
  }

  /** Latches a fault after a bug in the firmware (protocol.md, "Errors inside the device"). */
  #latchFault(error: unknown): Refused {
    this.#board.fault = FAULT.internal;
    this.#board.input('faulted');
    return new Refused(REFUSAL.wrongState, `internal fault: ${String(error)}`);
  }

  #refuse(opcode: number, requestId: number, reason: RefusalCode, detail: string): void {
    const refusal = encodeEvent('refusal', requestId, {
      reason,
      opcode,
      state: DEVICE_STATE[this.#board.state],
      detail: asciiPrefix(detail),
    });
    this.#remember(requestId, refusal);
    if (this.#link.canSend) this.#link.send(refusal);
  }

  #remember(requestId: number, answer: Uint8Array): void {
    const { answers } = this.session;
    answers.set(requestId, answer);
    if (answers.size > ANSWER_CACHE_MAX) answers.delete(answers.keys().next().value!);
  }
}

/** Replaces characters that are not ASCII, so that one character is one byte. */
function asciiPrefix(detail: string): string {
  return detail.replace(/[^ -~]/g, '?').slice(0, REFUSAL_DETAIL_MAX);
}
