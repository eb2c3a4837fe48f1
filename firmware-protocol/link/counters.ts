import type { FrameFault } from '../framing.js';

/**
 * Everything that a link can see go wrong, and what it did: counts since the link was made; every
 * fault has a name.
 */
export interface LinkCounters {
  framesReceived: number;
  framesSent: number;
  bytesReceived: number;
  bytesSent: number;
  faults: Record<FrameFault, number>;
  /** Frames of another session, which were dropped. */
  framesForeign: number;
  /** Command frames that came again. They were acknowledged again and dropped. */
  framesDuplicate: number;
  /** Command frames after a gap, which were dropped. */
  framesOutOfOrder: number;
  /** Command frames that were dropped because their answer had no room. They come again. */
  framesWithoutRoom: number;
  /** Frames of the sample channel that never came. */
  sampleFramesLost: number;
  naksReceived: number;
  naksSent: number;
  retransmissions: number;
  /** Acknowledgements of frames that were never sent. */
  acksInvalid: number;
  /** Payloads that are no message of this protocol. The code that decodes them counts them. */
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
