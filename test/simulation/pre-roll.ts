import type { EmulatedDevice } from '../../emulator/index.js';
import type { Link } from '../../firmware-protocol/link/link.js';

/** This payload is not a message of the protocol. A board counts it and does not answer. */
const NO_MESSAGE = Uint8Array.of(0xc0);

/** Small enough for every queue. A board without room for answers drops commands. */
const BATCH = 16;

/**
 * Lets `frames` command frames pass in both directions of a session that was just opened, without the line
 * and in no time. Otherwise each simulation of the wrap-around would take a second.
 */
export function preRoll(host: Link, board: EmulatedDevice, frames: number, nowMs: number): void {
  const { link } = board;
  let sent = 0;
  while (sent < frames || host.unacknowledged + link.unacknowledged > 0) {
    for (let i = 0; i < BATCH && sent < frames; i++, sent++) {
      host.send(NO_MESSAGE);
      link.send(NO_MESSAGE);
    }
    for (let bytes = host.poll(nowMs); bytes; bytes = host.poll(nowMs)) board.receive(bytes, nowMs);
    for (let bytes = board.poll(nowMs); bytes; bytes = board.poll(nowMs))
      host.receive(bytes, nowMs, () => undefined);
  }
}
