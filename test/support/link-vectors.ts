import { readFileSync } from 'node:fs';
import type { CHANNEL } from '../../firmware-protocol/framing.js';

type ChannelName = keyof typeof CHANNEL;

interface Message {
  readonly channel: ChannelName;
  readonly payload: string;
}

/** One moment of a session in link.json, in the order in which things happen; bytes are hex. */
export interface LinkStep {
  readonly atMs: number;
  readonly open?: {
    readonly nonce: string;
    readonly frameBytes: number;
    readonly window: number;
    readonly inFlightBytes: number;
  };
  readonly close?: true;
  readonly hold?: true;
  readonly resume?: true;
  readonly receive?: string;
  readonly send?: readonly Message[];
  /** The number of frames that the port takes; undefined for all of them. */
  readonly portTakes?: number;
  readonly delivers: readonly Message[];
  readonly says: readonly (Message & { readonly wire: string })[];
  readonly wakesAtMs: number | null;
}

/**
 * The format that firmware-protocol/tools/scripts/protocol-vectors.py writes;
 * firmware-protocol/vectors/README.md explains it.
 */
export interface LinkVector {
  readonly name: string;
  readonly end: 'device' | 'host';
  readonly frameBytesTaken: number;
  readonly framesEachWay: number;
  /** The number of messages that can wait for the window. Without it the number does not matter. */
  readonly answersWaiting?: number;
  readonly steps: readonly LinkStep[];
}

export const LINK_VECTORS: readonly LinkVector[] = JSON.parse(
  readFileSync(new URL('../../firmware-protocol/vectors/link.json', import.meta.url), 'utf8'),
).sessions;
