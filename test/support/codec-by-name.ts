import {
  type BadPayload,
  decodeToDevice,
  decodeToHost,
  encodeAnswer,
  encodeCommand,
  encodeEvent,
} from '../../firmware-protocol/codec.js';
import type { CommandName, EventName } from '../../firmware-protocol/messages/index.js';
import { directedRow, type WireDirection } from './protocol-vectors.js';

type Fields = Readonly<Record<string, unknown>>;

/** The codec without its types, for vectors and generated messages. */
export function encodeByName(
  name: string,
  direction: WireDirection,
  requestId: number,
  fields: Fields,
): Uint8Array {
  const { row } = directedRow(name, direction);
  if (row.kind === 'event') return encodeEvent(name as EventName, requestId, fields as never);
  return direction === 'toDevice'
    ? encodeCommand(name as CommandName, requestId, fields as never)
    : encodeAnswer(name as CommandName, requestId, fields as never);
}

export type Decoded =
  | BadPayload
  | {
      readonly kind: 'command' | 'answer' | 'event';
      readonly name: string;
      readonly requestId: number;
      readonly fields: Fields;
    };

export function decodeByDirection(direction: WireDirection, payload: Uint8Array): Decoded {
  return direction === 'toDevice' ? decodeToDevice(payload) : decodeToHost(payload);
}
