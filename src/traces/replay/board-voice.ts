import { encodeAnswer, encodeEvent, encodeEventParts } from '../../../firmware-protocol/codec.js';
import { DEVICE_STATE } from '../../../firmware-protocol/device-status.js';
import { CHANNEL } from '../../../firmware-protocol/framing.js';
import { FRAME_BYTES_MAX } from '../../../firmware-protocol/limits.js';
import type { Link } from '../../../firmware-protocol/link/link.js';
import type { Answer, Command, CommandName, EventName } from '../../../firmware-protocol/messages/index.js';
import { REFUSAL } from '../../../firmware-protocol/messages/system.js';
import { codeBytes } from '../../../firmware-protocol/program-digest.js';
import type { TraceMessage } from '../trace-message.js';
import type { Asked } from './request-matcher.js';
import type { TakenRequest } from './taken-requests.js';

/** Longest detail of a refusal. */
const DETAIL_MAX = 96;

/**
 * Sends the recorded messages of the board, with the nonce, request numbers and run numbers of the session
 * that is open now.
 */
export class BoardVoice {
  readonly #link: Link;
  /** The nonce of the open session. */
  nonce: Uint8Array = new Uint8Array(8);
  /** The nonce of the HELLO that is being answered. */
  askedNonce: Uint8Array = new Uint8Array(8);
  /**
   * The longest frame of the recorded session, in bytes. HELLO tells it to the host, which cuts its uploads
   * to it.
   */
  frameBytes = FRAME_BYTES_MAX;
  /** The answer to HELLO that opened the session. */
  lastHello: TraceMessage | undefined;
  lastStop: { readonly number: number; readonly payload: Uint8Array } | undefined;
  state = 'safe';
  #deviceTimeUs = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  /** Answers the HELLO of the open session again. */
  helloAgain(requestId: number, { nonce }: Command<'hello'>): void {
    this.#sendHello(requestId, {
      ...this.lastHello!.fields,
      nonce,
      frameBytes: this.frameBytes,
      resumed: 1,
    });
  }

  refuseHello(requestId: number, { nonce, major, minor, tableHash }: Command<'hello'>): void {
    const refusal = { nonce, major, minor, tableHash, reason: REFUSAL.unsupported };
    this.#link.sendUnsequenced(CHANNEL.open, encodeEvent('helloRefused', requestId, refusal));
  }

  stopAgain(): void {
    this.#link.sendUnsequenced(CHANNEL.stop, this.lastStop!.payload);
  }

  /**
   * Answers a command that was not recorded and needs no recording: a keep-alive, a stop, an abort without a
   * run.
   */
  answerItself(requestId: number, { name, fields }: Asked): void {
    if (name === 'ping') {
      const answer = { token: Number(fields['token']), deviceTimeUs: this.#deviceTimeUs };
      this.#link.send(encodeAnswer('ping', requestId, answer));
    } else if (name === 'stop') {
      const answer = { stopNumber: Number(fields['stopNumber']), state: DEVICE_STATE.safe };
      this.#sendStop(answer.stopNumber, encodeAnswer('stop', requestId, answer));
    } else this.#link.send(encodeAnswer('abort', requestId, {}));
  }

  refuse(requestId: number, name: string, detail: string): void {
    if (!this.#link.sessionOpen || !this.#link.canSend) return;
    const refusal = {
      reason: REFUSAL.wrongState,
      opcode: 0,
      state: DEVICE_STATE.safe,
      detail: `replay: ${detail}`.replace(/[^ -~]/g, '?').slice(0, DETAIL_MAX),
    };
    if (name !== 'stop') this.#link.send(encodeEvent('refusal', requestId, refusal));
  }

  /** Sends a recorded answer or refusal, with the number of the present request. */
  reply(message: TraceMessage, requestId: number, runId: number): void {
    const { kind, name } = message;
    const fields = { ...message.fields };
    if ('nonce' in fields) fields['nonce'] = message.channel === 'open' ? this.askedNonce : this.nonce;
    if (name === 'hello') fields['frameBytes'] = this.frameBytes;
    if (name === 'start' && kind === 'answer') {
      fields['runId'] = runId;
      this.state = 'running';
    }
    if (typeof fields['deviceTimeUs'] === 'number') this.#deviceTimeUs = fields['deviceTimeUs'];
    if (kind === 'event') {
      const payload = encodeEvent(name as EventName, requestId, fields as never);
      if (message.channel === 'open') this.#link.sendUnsequenced(CHANNEL.open, payload);
      else this.#link.send(payload);
      return;
    }
    const payload = encodeAnswer(name as CommandName, requestId, fields as never);
    if (name === 'hello') this.#sendHello(requestId, fields);
    else if (name === 'stop') this.#sendStop(Number(fields['stopNumber']), payload);
    else this.#link.send(payload);
  }

  sendEvent(message: TraceMessage, taken: TakenRequest | undefined): void {
    const { name, samples } = message;
    const fields = taken ? { ...message.fields, runId: taken.runId } : message.fields;
    if (message.kind === 'bad') return;
    if (samples) {
      const block = { ...fields, codes: codeBytes(samples.codes) };
      this.#link.sendUnsequenced(CHANNEL.sample, ...encodeEventParts('sampleBlock', 0, block as never));
      return;
    }
    const payload = encodeEvent(name as EventName, message.requestId, fields as never);
    if (name === 'runEnded') this.state = 'done';
    if (message.channel === 'sample') this.#link.sendUnsequenced(CHANNEL.sample, payload);
    else if (message.channel === 'command') this.#link.send(payload);
  }

  #sendHello(requestId: number, fields: object): void {
    this.#link.sendUnsequenced(CHANNEL.open, encodeAnswer('hello', requestId, fields as Answer<'hello'>));
  }

  #sendStop(number: number, payload: Uint8Array): void {
    this.lastStop = { number, payload };
    this.#link.sendUnsequenced(CHANNEL.stop, payload);
    this.state = 'safe';
  }
}
