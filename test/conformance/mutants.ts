import { CobsDecoder, cobsEncode } from '../../firmware-protocol/cobs.js';
import { encodeAnswer, encodeEvent } from '../../firmware-protocol/codec.js';
import { crc32 } from '../../firmware-protocol/crc.js';
import { CHANNEL, FLAG_NAK, type Frame } from '../../firmware-protocol/framing.js';
import { FEATURE, REFUSAL } from '../../firmware-protocol/messages/system.js';
import { TABLE_HASH } from '../../firmware-protocol/version.js';
import { ignores, isCommand, lies, type Mutation, refusesAs, withFields } from './mutant-port.js';

/** A board with one bug, and the rule at which it must fail. */
export interface Mutant {
  readonly id: string;
  readonly bug: string;
  /** Default `ideal-8`. */
  readonly profile?: string;
  /** Makes the bug in its initial state. Every call gives a bug with its own memory. */
  readonly make: () => Mutation;
}

const mutant = (id: string, bug: string, make: () => Mutation, profile?: string): Mutant => ({
  id,
  bug,
  make,
  ...(profile && { profile }),
});

/** The opcode of a payload, also if the payload is not a valid message. */
const opcodeOf = ({ payload }: Frame): number => payload[1];

/** Decodes a COBS block, edits its bytes, and gives it a good CRC again. */
function resealed(block: Uint8Array, edit: (raw: Uint8Array) => void): readonly Uint8Array[] {
  const decoder = new CobsDecoder(70_000);
  decoder.push(block, 0, block.length);
  const bytes = decoder.bytes;
  const size = decoder.end();
  if (size < 12) return [block];
  const raw = bytes.slice(0, size);
  edit(raw);
  new DataView(raw.buffer).setUint32(size - 4, crc32(raw.subarray(0, size - 4)) >>> 0, true);
  return [cobsEncode(raw).slice(0, -1)];
}

/**
 * Adds a command frame behind each frame of the board for which `after` returns a payload. The later sequence
 * numbers and acknowledgements are changed so that both ends find them correct.
 */
function injecting(
  after: (frame: Frame, message: { name: string } | undefined) => Uint8Array | undefined,
): Mutation {
  let injected = 0;
  return {
    toHost: ({ frame, message }) => {
      if (frame.channel === CHANNEL.open) {
        injected = 0;
        const payload = after(frame, message);
        return payload ? [frame, injectedFrame(frame, payload, injected++)] : [frame];
      }
      const moved =
        frame.channel === CHANNEL.command ? { ...frame, seq: (frame.seq + injected) & 0xffff } : frame;
      const payload = after(frame, message);
      if (!payload) return [moved];
      const next = { ...moved, seq: moved.channel === CHANNEL.command ? moved.seq + 1 : injected };
      injected++;
      return [moved, { ...next, channel: CHANNEL.command, flags: 0, payload }];
    },
    toDevice: ({ frame }) => [
      frame.channel === CHANNEL.open || frame.ack === 65535
        ? frame
        : { ...frame, ack: frame.ack < injected ? 65535 : frame.ack - injected },
    ],
  };
}

function injectedFrame(open: Frame, payload: Uint8Array, seq: number): Frame {
  // The first byte of the nonce names the session. This byte comes after the opcode, the id and the header of
  // a byte string.
  return {
    channel: CHANNEL.command,
    session: payload.length > 0 ? open.payload[5] : 0,
    flags: 0,
    seq,
    ack: 65535,
    payload,
  };
}

const RUN_ENDED = encodeEvent('runEnded', 0, {
  runId: 1,
  outcome: 3,
  ticksDone: 0,
  samplesTaken: 0,
  samplesLost: 0,
  blocksSent: 0,
  overloadedCellCount: 0,
  overloadedCells: new Uint8Array(0),
  overloadedRowCount: 0,
  overloadedRows: new Uint8Array(0),
});

const FRAME_MUTANTS: readonly Mutant[] = [
  mutant('FRAME-1', 'accepts frames with any CRC', () => ({
    rubbish: (block) => resealed(block, () => undefined),
  })),
  mutant('FRAME-2', 'sends the answer to HELLO with the sequence number 1', () => ({
    toHost: ({ frame }) => [frame.channel === CHANNEL.open ? { ...frame, seq: 1 } : frame],
  })),
  mutant('FRAME-3', 'accepts frames of any session', () => {
    let session = 0;
    return {
      toDevice: ({ frame, message }) => {
        if (message?.name === 'hello') session = (message.fields as { nonce: Uint8Array }).nonce[0];
        return [frame.channel === CHANNEL.open ? frame : { ...frame, session }];
      },
    };
  }),
  mutant('FRAME-4', 'drops the frames that come in the same chunk as HELLO', () => {
    let chunk = 0;
    let helloIn = -1;
    return {
      bytesToDevice: (bytes) => {
        chunk++;
        return bytes;
      },
      toDevice: ({ frame }) => {
        if (frame.channel === CHANNEL.open) helloIn = chunk;
        return frame.channel !== CHANNEL.open && helloIn === chunk ? [] : [frame];
      },
    };
  }),
  mutant('FRAME-5', 'drops a stop whose sequence number is lower than expected', () => {
    let next = 0;
    return {
      toDevice: ({ frame }) => {
        if (frame.channel !== CHANNEL.stop) return [frame];
        const isNext = frame.seq >= next;
        if (isNext) next = frame.seq + 1;
        return isNext ? [frame] : [];
      },
    };
  }),
  mutant('FRAME-6', 'sends a much longer answer to HELLO', () => ({
    toHost: ({ frame, message }) => {
      if (message?.name !== 'hello') return [frame];
      const { payload } = frame;
      // The head of an array with more than 15 items has three bytes. The third is the low byte of the count.
      const longer = Uint8Array.of(...payload, 0xd9, 200, ...new Uint8Array(200).fill(65));
      longer[2]++;
      return [{ ...frame, payload: longer }];
    },
  })),
  mutant('FRAME-7', 'sends the delimiter at the end of a frame only with the next bytes', () => {
    let owed = false;
    return {
      bytesToHost: (bytes) => {
        const whole = owed ? Uint8Array.of(0, ...bytes) : bytes;
        owed = whole.at(-1) === 0;
        return owed ? whole.slice(0, -1) : whole;
      },
    };
  }),
  mutant('FRAME-8', 'puts no delimiter before a frame', () => ({ delimiters: () => 0 })),
  mutant('FRAME-9', 'counts empty frames as faulty frames', () => ({
    bytesToDevice: (bytes) => {
      const twice = bytes.some((byte, i) => byte === 0 && bytes[i + 1] === 0 && bytes[i + 2] === 0);
      return twice ? Uint8Array.of(...bytes, 1, 1, 0) : bytes;
    },
  })),
  mutant('FRAME-10', 'takes the bytes beyond the longest frame as another frame', () => {
    let since = 0;
    return {
      bytesToDevice: (bytes) => {
        const out: number[] = [];
        for (const byte of bytes) {
          since = byte === 0 ? 0 : since + 1;
          out.push(byte);
          if (since === 65_000) out.push(0);
        }
        return Uint8Array.from(out);
      },
    };
  }),
  mutant('FRAME-11', 'loses the command frame after a block that is not a frame', () => {
    let lose = false;
    return {
      rubbish: (block) => {
        lose = true;
        return [block];
      },
      toDevice: ({ frame }) => {
        const lost = lose && isCommand(frame);
        lose = false;
        return lost ? [{ ...frame, session: frame.session ^ 1 }] : [frame];
      },
    };
  }),
  mutant('FRAME-12', 'accepts frames of unknown versions and flags', () => ({
    rubbish: (block) =>
      resealed(block, (raw) => {
        raw[0] = 1;
        raw[1] = 1;
        raw[3] &= 1;
      }),
  })),
];

/** Replaces a byte string in payloads to the board. */
function rewrites(find: readonly number[], by: readonly number[]): Mutation {
  return {
    toDevice: ({ frame }) => {
      const { payload } = frame;
      const at = payload.findIndex((_, i) => find.every((byte, k) => payload[i + k] === byte));
      if (at < 0) return [frame];
      return [
        {
          ...frame,
          payload: Uint8Array.of(...payload.slice(0, at), ...by, ...payload.slice(at + find.length)),
        },
      ];
    },
  };
}

const PAYLOAD_MUTANTS: readonly Mutant[] = [
  mutant('PAYLOAD-1', 'accepts request ids of 64 bits', () => rewrites([0xcf, 0, 0, 0, 1, 0, 0, 0, 0], [40])),
  mutant('PAYLOAD-2', 'accepts integers in longer forms', () => rewrites([0xcc, 7], [7])),
  mutant('PAYLOAD-3', 'accepts nil as 0', () => rewrites([52, 0xc0], [52, 0])),
  mutant('PAYLOAD-4', 'rejects a message with more items than it knows fields', () =>
    rewrites([7, 8, 0xa1, 0x61], [0xc0, 0xc0, 0xc0]),
  ),
  mutant('PAYLOAD-5', 'does not count rejected messages', () =>
    lies('readCounters', () => ({ messagesRejected: 3 })),
  ),
  mutant('PAYLOAD-6', 'refuses unknown commands as unsupported', () =>
    refusesAs(REFUSAL.unknownCommand, REFUSAL.unsupported),
  ),
  mutant('PAYLOAD-7', 'does not count a request with id 0', () =>
    lies('readCounters', () => ({ messagesRejected: 0 })),
  ),
  mutant('PAYLOAD-8', 'sends the indices of overloaded cells in big-endian order', () =>
    lies('runEnded', ({ overloadedCells }: { overloadedCells: Uint8Array }) => ({
      overloadedCells: overloadedCells.toReversed(),
    })),
  ),
  mutant('PAYLOAD-9', 'answers with the request id of the previous command', () => {
    let before = 0;
    return {
      toHost: ({ frame, message }) => {
        if (message?.kind !== 'answer' || !isCommand(frame)) return [frame];
        const requestId = before;
        before = message.requestId;
        return [{ ...frame, payload: withFields(message, {}, requestId) }];
      },
    };
  }),
  mutant('PAYLOAD-10', 'sends the report of a run with the request id of its start', () => {
    let start = 0;
    return {
      toHost: ({ frame, message }) => {
        if (message?.name === 'start') start = message.requestId;
        return message?.name === 'runEnded'
          ? [{ ...frame, payload: withFields(message, {}, start) }]
          : [frame];
      },
    };
  }),
];

const SESSION_MUTANTS: readonly Mutant[] = [
  mutant('SESSION-2', 'remembers the stop of the previous session', () =>
    lies('readStatus', () => ({ stopNumber: 3 })),
  ),
  mutant('SESSION-3', 'forgets its programs when a new session opens', () => {
    let hellos = 0;
    return {
      toHost: ({ frame, message }) => {
        if (message?.name === 'hello') hellos++;
        return message?.name === 'readStatus' && hellos > 1
          ? [{ ...frame, payload: withFields(message, { committedBanks: 0 }) }]
          : [frame];
      },
    };
  }),
  mutant('SESSION-4', 'never says that a session is resumed', () => lies('hello', () => ({ resumed: 0 }))),
  mutant('SESSION-5', 'does not check the table hash', () =>
    ignores('hello', () => ({ tableHash: TABLE_HASH })),
  ),
  mutant('SESSION-6', 'opens a session for a nonce of zeros', () =>
    ignores('hello', ({ nonce }: { nonce: Uint8Array }) =>
      nonce.every((byte) => byte === 0) ? { nonce: new Uint8Array(8).fill(77) } : {},
    ),
  ),
  mutant('SESSION-7', 'reports the run of the previous session to the new session', () => {
    let hellos = 0;
    return injecting((frame, message) =>
      frame.channel === CHANNEL.command && message?.name === 'ping' && hellos++ === 0 ? RUN_ENDED : undefined,
    );
  }),
  mutant('SESSION-8', 'continues the run ids of the previous session', () => {
    let hellos = 0;
    return {
      toHost: ({ frame, message }) => {
        if (message?.name === 'hello') hellos++;
        return message?.name === 'start' && message.kind === 'answer'
          ? [{ ...frame, payload: withFields(message, { runId: message.fields.runId + hellos }) }]
          : [frame];
      },
    };
  }),
  mutant('RESUME-1', 'opens a session when asked to resume one', () =>
    ignores('hello', () => ({ purpose: 0 })),
  ),
  mutant('RESUME-2', 'forgets frames that were not acknowledged', () => {
    let resumed = false;
    return {
      toHost: ({ frame, message }) => {
        resumed ||= message?.name === 'hello' && message.kind === 'answer' && message.fields.resumed === 1;
        return resumed && message?.name === 'ping' ? [] : [frame];
      },
    };
  }),
  mutant('NONCE-1', 'accepts a nonce with the first byte of an old nonce', () => {
    let wanted = new Uint8Array(8);
    let given = 1;
    return {
      toDevice: ({ frame, message }) => {
        if (message?.name !== 'hello' || message.kind !== 'command') return [frame];
        wanted = message.fields.nonce.slice();
        const nonce = wanted.slice();
        nonce[0] = given = (given % 255) + 1;
        return [{ ...frame, payload: withFields(message, { nonce }) }];
      },
      toHost: ({ frame, message }) => {
        const session = frame.channel === CHANNEL.open ? frame.session : wanted[0];
        return message?.name === 'hello' || message?.name === 'helloRefused'
          ? [{ ...frame, session, payload: withFields(message, { nonce: wanted }) }]
          : [{ ...frame, session }];
      },
    };
  }),
  mutant('VERSION-1', 'does not answer a HELLO of another major version', () => ({
    toHost: ({ frame, message }) => (message?.name === 'helloRefused' ? [] : [frame]),
  })),
  mutant('VERSION-2', 'answers with the minor version of the host', () =>
    lies('hello', () => ({ minor: 2 })),
  ),
  mutant('VERSION-3', 'rejects a start without the fields that 1.1 added', () => ({
    toDevice: ({ frame, message }) =>
      message?.name === 'start' && frame.payload[0] !== 0xdc
        ? [{ ...frame, payload: Uint8Array.of(0x92, 32, 99) }]
        : [frame],
  })),
  mutant('VERSION-4', 'tells a host of 1.0 features that 1.0 does not know', () =>
    lies('hello', () => ({ features: 31 })),
  ),
];

const LINK_MUTANTS: readonly Mutant[] = [
  mutant('LINK-1', 'ignores the window of the host', () => ignores('hello', () => ({ window: 32 }))),
  mutant('LINK-2', 'executes a command although the frame before it is missing', () => {
    let next = 0;
    return {
      toDevice: ({ frame }) => {
        if (frame.channel === CHANNEL.open) next = 0;
        return isCommand(frame) ? [{ ...frame, seq: next++ }] : [frame];
      },
    };
  }),
  mutant('LINK-3', 'does not acknowledge a frame that comes again', () => {
    let last = -1;
    return {
      toDevice: ({ frame }) => {
        if (frame.channel === CHANNEL.open) last = -1;
        if (!isCommand(frame)) return [frame];
        const isOld = frame.seq <= last;
        last = Math.max(last, frame.seq);
        return isOld ? [] : [frame];
      },
    };
  }),
  mutant('LINK-4', 'ignores naks', () => ({ toDevice: ({ frame }) => [{ ...frame, flags: 0 }] })),
  mutant('LINK-5', 'obeys a nak that comes with an old acknowledgement', () => {
    let last: Frame | undefined;
    let say: (frame: Frame) => void = () => undefined;
    return {
      start: (tell) => (say = tell),
      toHost: ({ frame }) => {
        if (isCommand(frame)) last = frame;
        return [frame];
      },
      toDevice: ({ frame }) => {
        if ((frame.flags & FLAG_NAK) !== 0 && last) say(last);
        return [frame];
      },
    };
  }),
  mutant('LINK-6', 'accepts the acknowledgement of a frame that it never sent', () => {
    let sent = 65535;
    return {
      toHost: ({ frame }) => {
        if (isCommand(frame)) sent = frame.seq;
        return [frame];
      },
      toDevice: ({ frame }) => [frame.ack > 1000 && frame.ack < 65535 ? { ...frame, ack: sent } : frame],
    };
  }),
  mutant('LINK-7', 'acknowledges on the command channel only', () => ({
    toHost: ({ frame }) => [frame.channel === CHANNEL.stop ? { ...frame, ack: 65535 } : frame],
  })),
];

const COMMAND_MUTANTS: readonly Mutant[] = [
  mutant('ONCE-1', 'executes a request as often as it comes', () => {
    let starts = 0;
    return {
      toDevice: ({ frame, message }) =>
        message?.name === 'start' && starts++ > 0
          ? [{ ...frame, payload: withFields(message, {}, message.requestId + 1000) }]
          : [frame],
      toHost: ({ frame, message }) =>
        message !== undefined && message.requestId > 1000
          ? [{ ...frame, payload: withFields(message, {}, message.requestId - 1000) }]
          : [frame],
    };
  }),
  mutant('ONCE-2', 'refuses a repeated request as stale', () => {
    const answered = new Set<number>();
    return {
      toHost: ({ frame, message }) => {
        if (message?.kind !== 'answer' || message.name !== 'start') return [frame];
        const again = answered.has(message.requestId);
        answered.add(message.requestId);
        const refusal = { reason: REFUSAL.stale, opcode: 32, state: 5, detail: '' } as const;
        return again ? [{ ...frame, payload: encodeEvent('refusal', message.requestId, refusal) }] : [frame];
      },
    };
  }),
  mutant('ONCE-4', 'accepts request ids in any order', () => ({
    toHost: ({ frame, message }) =>
      message?.name === 'refusal' && message.requestId === 5
        ? [{ ...frame, payload: encodeAnswer('acknowledge', 5, { state: 2 }) }]
        : [frame],
  })),
  mutant('ONCE-5', 'keeps one answer too few', () => {
    const heard = new Map<number, number>();
    return {
      toHost: ({ frame, message }) => {
        if (message === undefined || message.requestId === 0 || !isCommand(frame)) return [frame];
        const times = (heard.get(message.requestId) ?? 0) + 1;
        heard.set(message.requestId, times);
        const refusal = { reason: REFUSAL.stale, opcode: 33, state: 2, detail: '' } as const;
        return times > 1
          ? [{ ...frame, payload: encodeEvent('refusal', message.requestId, refusal) }]
          : [frame];
      },
    };
  }),
  mutant('ONCE-6', 'acknowledges a command that it has no room for', () => {
    let last = 65535;
    return {
      toDevice: ({ frame }) => {
        if (frame.channel === CHANNEL.open) last = 65535;
        if (isCommand(frame) && (last === 65535 || frame.seq > last)) last = frame.seq;
        return [frame];
      },
      toHost: ({ frame }) => [frame.channel === CHANNEL.open ? frame : { ...frame, ack: last }],
    };
  }),
  mutant('ONCE-7', 'keeps the refusal of a read', () => {
    const refused = new Map<number, Uint8Array>();
    return {
      toHost: ({ frame, message }) => {
        if (message === undefined || message.requestId === 0 || !isCommand(frame)) return [frame];
        const kept = refused.get(message.requestId);
        if (message.name === 'refusal') refused.set(message.requestId, frame.payload.slice());
        return [kept ? { ...frame, payload: kept } : frame];
      },
    };
  }),
  mutant('STOP-5', 'forgets at a stop which banks are committed', () =>
    lies('readStatus', () => ({ committedBanks: 0 })),
  ),
  mutant('STOP-6', 'refuses commands as stale after a stop that cancels all commands', () =>
    refusesAs(REFUSAL.cancelled, REFUSAL.stale),
  ),
  mutant('STOP-6', 'reads only 16 bits of the last request id', () =>
    ignores('stop', ({ lastRequestId }: { lastRequestId: number }) => ({
      lastRequestId: lastRequestId & 0xffff,
    })),
  ),
  mutant('STOP-5', 'refuses to start a bank that was committed before a stop', () => {
    let isStopped = false;
    return {
      toHost: ({ frame, message }) => {
        if (message?.name === 'stop') isStopped = true;
        if (message?.name !== 'start' || !isStopped) return [frame];
        const refusal = { reason: REFUSAL.notCommitted, opcode: 32, state: 3, detail: '' } as const;
        return [{ ...frame, payload: encodeEvent('refusal', message.requestId, refusal) }];
      },
    };
  }),
  mutant('STOP-1', 'drops a stop while a command frame before it is missing', () => {
    let next = 0;
    return {
      toDevice: ({ frame }) => {
        if (frame.channel === CHANNEL.open) next = 0;
        if (isCommand(frame)) next = frame.seq === next ? next + 1 : -1;
        return frame.channel === CHANNEL.stop && next < 0 ? [] : [frame];
      },
    };
  }),
  mutant('STOP-2', 'executes commands that were sent before the stop', () =>
    ignores('stop', () => ({ lastRequestId: 0 })),
  ),
  mutant('STOP-3', 'obeys a stop with an old number', () => {
    let number = 0;
    return {
      toDevice: ({ frame, message }) => {
        if (message?.name === 'hello') number = 0;
        return message?.name === 'stop'
          ? [{ ...frame, payload: withFields(message, { stopNumber: ++number + 10 }) }]
          : [frame];
      },
    };
  }),
  mutant('STOP-4', 'starts a program without a new commit after a stop', () => {
    let acknowledged = false;
    return {
      toDevice: ({ frame }) => {
        if (isCommand(frame) && opcodeOf(frame) === 4) acknowledged = true;
        return [frame];
      },
      toHost: ({ frame, message }) => {
        if (!acknowledged || message?.name !== 'refusal') return [frame];
        acknowledged = false;
        return [{ ...frame, payload: encodeAnswer('start', message.requestId, { runId: 9 }) }];
      },
    };
  }),
];

const RUN_MUTANTS: readonly Mutant[] = [
  mutant('RUN-1', 'gives every run the number 1', () => lies('start', () => ({ runId: 1 }))),
  mutant('RUN-2', 'checks the state before the range', () =>
    refusesAs(REFUSAL.outOfRange, REFUSAL.wrongState),
  ),
  mutant('RUN-3', 'tells the last tick in place of the next one', () =>
    lies('readStatus', ({ tick }: { tick: number }) => ({ tick: Math.max(0, tick - 1) })),
  ),
  mutant('RUN-4', 'lacks the feature hold, but accepts a start with hold', () =>
    lies('hello', ({ features }: { features: number }) => ({ features: features & ~4 })),
  ),
  mutant('BLOCK-1', 'ignores blockSamples', () => ignores('start', () => ({ blockSamples: 0 }))),
  mutant(
    'BLOCK-2',
    'tells a wrong first cell for the later blocks of a sample',
    () =>
      lies('sampleBlock', ({ firstCell }: { firstCell: number }) => ({
        firstCell: firstCell === 0 ? 0 : firstCell - 1,
      })),
    'ideal-256',
  ),
  mutant('BLOCK-3', 'puts two samples into each block that waits', () =>
    ignores('start', () => ({ blockSamples: 2 })),
  ),
  mutant('BLOCK-4', 'does not set the flag for a gap', () =>
    lies('sampleBlock', ({ flags }: { flags: number }) => ({ flags: flags & 3 })),
  ),
  mutant('BLOCK-5', 'sends a block twice', () => ({
    toHost: ({ frame, message }) => (message?.name === 'sampleBlock' ? [frame, frame] : [frame]),
  })),
  mutant('BLOCK-6', 'reports one lost sample too many', () =>
    lies('runEnded', ({ samplesLost }: { samplesLost: number }) => ({ samplesLost: samplesLost + 1 })),
  ),
  mutant('CREDIT-1', 'sends one block more than its credit', () =>
    ignores('start', ({ creditBlocks }: { creditBlocks: number }) => ({ creditBlocks: creditBlocks + 1 })),
  ),
  mutant('CREDIT-2', 'loses samples although the host asked it to hold', () =>
    ignores('start', () => ({ onNoCredit: 1 })),
  ),
  mutant('CREDIT-3', 'does not answer the credit of a host that waits', () => ({
    toHost: ({ frame, message }) => (message?.name === 'blocksSent' ? [] : [frame]),
  })),
  mutant('CREDIT-4', 'answers a credit after the end of the run was reported', () => {
    let asked = false;
    return {
      toDevice: ({ frame, message }) => {
        asked ||= message?.name === 'credit';
        return [frame];
      },
      toHost: ({ frame }) => {
        const tell = asked;
        asked = false;
        const payload = encodeEvent('blocksSent', 0, { runId: 1, blocks: 2 });
        return tell ? [frame, { ...frame, channel: CHANNEL.sample, flags: 0, payload }] : [frame];
      },
    };
  }),
  mutant('CREDIT-5', 'does not count lost samples in readCounters', () =>
    lies('readCounters', () => ({ samplesLost: 0 })),
  ),
  mutant('KEEP-1', 'sends more blocks than keepBlocks without a release', () =>
    ignores('start', () => ({ keepBlocks: 0 })),
  ),
  mutant('KEEP-2', 'sends a block again with another tick', () => {
    let blocks = 0;
    return {
      toHost: ({ frame, message }) =>
        message?.name === 'sampleBlock' && blocks++ > 0
          ? [{ ...frame, payload: withFields(message, { tick: 7 }) }]
          : [frame],
    };
  }),
  mutant('KEEP-3', 'forgets the kept blocks after the report of the run', () => {
    let ended = false;
    return {
      toHost: ({ frame, message }) => {
        ended ||= message?.name === 'runEnded';
        return ended && message?.name === 'sampleBlock' ? [] : [frame];
      },
    };
  }),
  mutant('END-1', 'reports the end of a run without its last block', () => {
    let held: Frame | undefined;
    return {
      toHost: ({ frame, message }) => {
        const before = held;
        if (message?.name === 'sampleBlock') {
          held = frame;
          return before ? [before] : [];
        }
        return [frame];
      },
    };
  }),
  mutant('END-2', 'names no cell in the report of an overload', () =>
    lies('runEnded', () => ({ overloadedCellCount: 0, overloadedCells: new Uint8Array(0) })),
  ),
  mutant('END-3', 'counts a resent block in blocksSent', () =>
    lies('runEnded', ({ blocksSent }: { blocksSent: number }) => ({ blocksSent: blocksSent + 1 })),
  ),
  mutant('END-4', 'sends a block after the report of a run that was cut short', () => {
    let block: Frame | undefined;
    let asked = false;
    return {
      toDevice: ({ frame, message }) => {
        asked ||= message?.name === 'credit';
        return [frame];
      },
      toHost: ({ frame, message }) => {
        if (message?.name === 'sampleBlock') block = frame;
        const more = asked && block;
        asked = false;
        return more ? [frame, more] : [frame];
      },
    };
  }),
  mutant('END-6', 'refuses the abort of an unknown run as wrongState', () =>
    refusesAs(REFUSAL.outOfRange, REFUSAL.wrongState),
  ),
  mutant('END-5', 'reports an aborted run as completed', () => lies('runEnded', () => ({ outcome: 0 }))),
];

const PROGRAM_MUTANTS: readonly Mutant[] = [
  mutant('PROGRAM-1', 'leaves a bank committed after a write', () =>
    lies('readStatus', () => ({ committedBanks: 1 })),
  ),
  mutant('PROGRAM-2', 'does not check CRC-32C', () => {
    let known: object | undefined;
    return ignores('commit', ({ crc32c }: { crc32c: number }) => (known ??= { crc32c }));
  }),
  mutant('PROGRAM-3', 'keeps old codes in a newly defined program', () =>
    lies('readProgram', ({ codes }: { codes: Uint8Array }) => ({ codes: codes.slice().fill(1) })),
  ),
  mutant('PROGRAM-4', 'refuses a program that is too large as unsupported', () =>
    refusesAs(REFUSAL.outOfRange, REFUSAL.unsupported),
  ),
  mutant('PROGRAM-5', 'accepts a row element in dense mode', () =>
    ignores('defineProgram', () => ({ linearRows: 65535 })),
  ),
  mutant('PROGRAM-6', 'refuses the table of a program without a row element as outOfRange', () =>
    refusesAs(REFUSAL.wrongState, REFUSAL.outOfRange),
  ),
  mutant('PROGRAM-7', 'refuses a write to a running bank as wrongState', () =>
    refusesAs(REFUSAL.bankBusy, REFUSAL.wrongState),
  ),
  mutant('PROGRAM-8', 'ignores half a code', () =>
    ignores('writeInitialState', ({ codes }: { codes: Uint8Array }) => ({
      codes: codes.subarray(0, codes.length & ~1),
    })),
  ),
  mutant('PROGRAM-9', 'checks registers before the digest', () =>
    refusesAs(REFUSAL.digestMismatch, REFUSAL.outOfRange),
  ),
  mutant('PROGRAM-10', 'tells 87380 for s₀', () => lies('commit', () => ({ carryVariance: 87_380 }))),
  mutant('AVERAGE-1', 'refuses 33 batches as unsupported', () =>
    refusesAs(REFUSAL.outOfRange, REFUSAL.unsupported),
  ),
  mutant('AVERAGE-2', 'adds samples up wrongly', () =>
    lies('readAverages', ({ sums }: { sums: Uint8Array }) => ({
      sums: sums.map((byte, i) => (i === 0 ? byte ^ 1 : byte)),
    })),
  ),
  mutant('AVERAGE-3', 'ignores batchSamples in the start of a run that sends samples', () =>
    ignores('start', () => ({ batchSamples: 0 })),
  ),
  mutant('AVERAGE-4', 'counts blocks of a run that sends none', () =>
    lies('runEnded', () => ({ blocksSent: 1 })),
  ),
  mutant('AVERAGE-5', 'gives the sums of run 1 to a request for any run', () =>
    ignores('readAverages', () => ({ runId: 1 })),
  ),
  mutant('AVERAGE-6', 'reports how many samples were requested, not how many were added up', () =>
    lies('readAverages', () => ({ samples: 4096 })),
  ),
  mutant('STATE-1', 'stays in the state done after a commit', () =>
    lies('readStatus', ({ state }: { state: number }) => (state === 3 ? { state: 5 } : {})),
  ),
  mutant('STATE-2', 'does not feed the watchdog by frames without a message', () => ({
    toDevice: ({ frame }) => (frame.payload.length === 0 && frame.channel === CHANNEL.command ? [] : [frame]),
  })),
  mutant('STATE-3', 'does not raise its boot epoch at a reset', () => {
    let first: number | undefined;
    return lies('hello', ({ bootEpoch }: { bootEpoch: number }) => ({ bootEpoch: (first ??= bootEpoch) }));
  }),
];

const PERIPHERAL_MUTANTS: readonly Mutant[] = [
  mutant('CALIBRATION-1', 'refuses a draft with another CRC-32 as outOfRange', () =>
    refusesAs(REFUSAL.digestMismatch, REFUSAL.outOfRange),
  ),
  mutant('CALIBRATION-2', 'loses its calibration record when a new session opens', () => {
    let hellos = 0;
    return {
      toHost: ({ frame, message }) => {
        if (message?.name === 'hello') hellos++;
        return message?.name === 'readCalibration' && message.kind === 'answer' && hellos > 1
          ? [{ ...frame, payload: withFields(message, { length: 0, crc32: 0 }) }]
          : [frame];
      },
    };
  }),
  mutant('CALIBRATION-2', 'loses its calibration record at a reset', () => {
    let isGone = false;
    return {
      toHost: ({ frame, message }) => {
        if (message?.name === 'reset') isGone = true;
        return isGone && message?.name === 'readCalibration'
          ? [{ ...frame, payload: withFields(message, { length: 0, crc32: 0, record: new Uint8Array(0) }) }]
          : [frame];
      },
    };
  }),
  mutant('CALIBRATION-3', 'returns one byte more than was asked for', () =>
    ignores('readCalibration', ({ count }: { count: number }) => ({ count: count + 1 })),
  ),
  mutant('CALIBRATION-4', 'refuses bytes beyond a record as unsupported', () =>
    refusesAs(REFUSAL.outOfRange, REFUSAL.unsupported),
  ),
  mutant('CALIBRATION-4', 'returns the bytes that fit if too many are asked for', () =>
    ignores('readCalibration', ({ count }: { count: number }) => ({ count: Math.min(count, 65536 - 36) })),
  ),
  mutant('CALIBRATION-5', 'checks the digest before the state', () =>
    refusesAs(REFUSAL.wrongState, REFUSAL.digestMismatch),
  ),
  mutant('CALIBRATION-6', 'keeps a record and says that it keeps none', () =>
    lies('hello', () => ({ calibrationBytesMax: 0 })),
  ),
  mutant('SENSOR-1', 'tells its temperature in thousandths of a degree Celsius', () =>
    lies('readSensors', () => ({ dieTemperatureMillikelvin: 25_000 })),
  ),
  mutant('SENSOR-2', 'accepts identify without its feature', () =>
    lies('hello', ({ features }: { features: number }) => ({ features: features & ~FEATURE.identify })),
  ),
];

const TIMING_MUTANTS: readonly Mutant[] = [
  mutant('LINK-9', 'does not measure round trips', () => ({
    toDevice: ({ frame }) => [
      frame.ack === 0 && frame.channel === CHANNEL.command ? { ...frame, ack: 65535 } : frame,
    ],
  })),
  mutant('LINK-10', 'waits three times as long before it sends again', () => {
    let sendings = 0;
    return {
      toHost: ({ frame, message }) => (message?.name === 'ping' && sendings++ % 2 === 1 ? [] : [frame]),
    };
  }),
  mutant('LINK-11', 'gives up after five sendings', () => {
    let sendings = 0;
    return {
      toHost: ({ frame, message }) => (message?.name === 'ping' && ++sendings > 5 ? [] : [frame]),
    };
  }),
];

/** Boards with bugs about several clients. The ports of one board share the bug. */
export const CLIENT_MUTANTS: readonly Mutant[] = [
  mutant('CLIENT-1', 'gives a session to a second client', () => {
    let answer: Frame | undefined;
    return {
      toHost: ({ frame, message }) => {
        if (message?.name === 'hello') answer = frame;
        return message?.name === 'helloRefused' && answer ? [answer] : [frame];
      },
    };
  }),
  mutant('CLIENT-2', 'refuses a second client with the reason version in place of busy', () =>
    lies('helloRefused', () => ({ reason: REFUSAL.version })),
  ),
  mutant('CLIENT-3', 'does not notice that its client has gone', () => ({ closes: 'never' })),
  mutant('TCP-2', 'notices late that its client has gone', () => ({ closes: 'late' })),
  mutant('TCP-3', 'does not close the connection after a refusal', () => ({ isClosed: false })),
  mutant('TCP-4', 'leaves silent connections open', () => ({ isClosed: false })),
  mutant('TCP-5', 'makes no room for a ninth connection', () => ({ isClosed: false })),
];

export const MUTANTS: readonly Mutant[] = [
  ...FRAME_MUTANTS,
  ...PAYLOAD_MUTANTS,
  ...SESSION_MUTANTS,
  ...LINK_MUTANTS,
  ...TIMING_MUTANTS,
  ...COMMAND_MUTANTS,
  ...RUN_MUTANTS,
  ...PROGRAM_MUTANTS,
  ...PERIPHERAL_MUTANTS,
];
