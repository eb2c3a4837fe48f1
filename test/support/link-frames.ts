import {
  CHANNEL,
  type Channel,
  encodeFrame,
  type Frame,
  FrameDecoder,
} from '../../firmware-protocol/framing.js';
import type { LinkLimits } from '../../firmware-protocol/link/command-sender.js';
import { Link, type LinkEvent } from '../../firmware-protocol/link/link.js';

export const NONCE = Uint8Array.of(0x5a, 2, 3, 4, 5, 6, 7, 8);
export const LIMITS: LinkLimits = { frameBytes: 256, window: 4, inFlightBytes: 100_000 };

export function openLink(limits: Partial<LinkLimits> = {}, answersEverything = false): Link {
  const link = new Link(limits.frameBytes ?? LIMITS.frameBytes, { answersEverything });
  link.openSession(NONCE, { ...LIMITS, ...limits });
  return link;
}

/** All frames that the link sends now. */
export function said(link: Link, nowMs = 0): Frame[] {
  const decoder = new FrameDecoder(65536);
  const frames: Frame[] = [];
  for (let bytes = link.poll(nowMs); bytes; bytes = link.poll(nowMs))
    for (const item of decoder.push(bytes)) {
      if (item.kind === 'fault') throw new Error(`the link wrote a frame with a fault: ${item.fault}`);
      frames.push(item.frame);
    }
  return frames;
}

export const seqs = (frames: readonly Frame[]) => frames.map(({ seq }) => seq);

/** A frame as the other side would send it; by default an acknowledgement of nothing. */
export function peerFrame(parts: Partial<Frame> & { text?: string; channel?: Channel } = {}): Uint8Array {
  const { text = '', ...header } = parts;
  return encodeFrame({
    channel: CHANNEL.command,
    session: NONCE[0],
    flags: 0,
    seq: 0,
    ack: 65535,
    payload: new TextEncoder().encode(text),
    ...header,
  });
}

/** The output of the link for these bytes. */
export function received(link: Link, bytes: Uint8Array, nowMs = 0): LinkEvent[] {
  const events: LinkEvent[] = [];
  link.receive(bytes, nowMs, (event) =>
    events.push(event.kind === 'message' ? { ...event, payload: event.payload.slice() } : event),
  );
  return events;
}

/** The texts of the messages that these bytes deliver. */
export function delivered(link: Link, bytes: Uint8Array, nowMs = 0): string[] {
  return received(link, bytes, nowMs).flatMap((event) =>
    event.kind === 'message' ? [new TextDecoder().decode(event.payload)] : [],
  );
}

export function sendTexts(link: Link, ...texts: string[]): void {
  for (const text of texts) link.send(new TextEncoder().encode(text));
}
