import type { FrameFault } from '../framing.js';

/**
 * Counts of what a link sent, received and rejected, since the link was made. Every kind of fault has a count
 * of its own.
 */
export interface LinkCounters {
  framesReceived: number;
  framesSent: number;
  bytesReceived: number;
  bytesSent: number;
  faults: Record<FrameFault, number>;
  /** Frames of another session, which were dropped. */
  framesForeign: number;
  /** Command frames that came a second time. They were acknowledged again and dropped. */
  framesDuplicate: number;
  /** Command frames after a gap, which were dropped. */
  framesOutOfOrder: number;
  /**
   * Command frames that were dropped because the queue had no room for their answer. The host sends them
   * again.
   */
  framesWithoutRoom: number;
  /** Frames of the sample channel that never came. */
  sampleFramesLost: number;
  naksReceived: number;
  naksSent: number;
  retransmissions: number;
  /** Acknowledgements of frames that were never sent. */
  acksInvalid: number;
  /** Payloads that are not messages of this protocol. The decoder of messages counts them. */
  messagesRejected: number;
}

export function linkCounters(): LinkCounters {
  return {
    framesReceived: 0,
    framesSent: 0,
    bytesReceived: 0,
    bytesSent: 0,
    faults: { cobs: 0, crc: 0, short: 0, oversize: 0, header: 0 },
    framesForeign: 0,
    framesDuplicate: 0,
    framesOutOfOrder: 0,
    framesWithoutRoom: 0,
    sampleFramesLost: 0,
    naksReceived: 0,
    naksSent: 0,
    retransmissions: 0,
    acksInvalid: 0,
    messagesRejected: 0,
  };
}

/** How many frames were faulty, of all kinds together. Errors: none. */
export function faultyFrames(counters: LinkCounters): number {
  return Object.values(counters.faults).reduce((sum, count) => sum + count, 0);
}
