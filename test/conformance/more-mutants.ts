import { encodeEvent } from '../../firmware-protocol/codec.js';
import { CHANNEL, FLAG_NAK, type Frame } from '../../firmware-protocol/framing.js';
import { REFUSAL } from '../../firmware-protocol/messages/system.js';
import { ignores, isCommand, type Mutation, withFields } from './mutant-port.js';
import type { Mutant } from './mutants.js';

const mutant = (id: string, bug: string, make: () => Mutation): Mutant => ({ id, bug, make });

/**
 * Bugs that were written from protocol.md alone after the checks were done. In the first run the checks found
 * nine of these ten bugs, and eight of them at the rule that the bug breaks. The checks missed the bug for
 * STATE-2, whose first version had no effect. Since then the check of BLOCK-6 also checks ticks, and the
 * check of STATE-2 also checks HELLO.
 */
export const MORE_MUTANTS: readonly Mutant[] = [
  mutant('SESSION-4', 'begins to count frames anew when HELLO is repeated', () => {
    let open = '';
    let next = 0;
    return {
      toDevice: ({ frame, message }) => {
        if (message?.name === 'hello' && message.kind === 'command') {
          const nonce = Buffer.from(message.fields.nonce).toString('hex');
          if (nonce === open) next = 0;
          else next = -1;
          open = nonce;
        }
        if (next < 0 || !isCommand(frame)) return [frame];
        // The board expects frame 0 again, and drops frames with later numbers.
        return frame.seq === next++ ? [frame] : [];
      },
    };
  }),
  mutant('LINK-3', 'repeats its nak for every frame after a gap', () => {
    let expected = 0;
    let say: (frame: Frame) => void = () => undefined;
    return {
      start: (tell) => (say = tell),
      toDevice: ({ frame }) => {
        if (frame.channel === CHANNEL.open) expected = 0;
        if (!isCommand(frame)) return [frame];
        if (frame.seq === expected) expected++;
        else if (frame.seq > expected)
          say({
            channel: CHANNEL.command,
            session: frame.session,
            flags: FLAG_NAK,
            seq: 0,
            ack: (expected - 1) & 0xffff,
            payload: new Uint8Array(0),
          });
        return [frame];
      },
    };
  }),
  mutant('CREDIT-1', 'adds up credits in place of replacing them', () => {
    let sum = 0;
    return {
      toDevice: ({ frame, message }) => {
        if (message?.name === 'start' && message.kind === 'command') sum = message.fields.creditBlocks;
        if (message?.name !== 'credit') return [frame];
        sum = Math.min(2 ** 32 - 1, sum + message.fields.blocks);
        return [{ ...frame, payload: withFields(message, { blocks: sum }) }];
      },
    };
  }),
  mutant('RUN-3', 'counts ticks from 0 in every run', () => ignores('start', () => ({ firstTick: 0 }))),
  mutant('END-1', 'is in the state done while a block still waits for credit', () => {
    let reported = true;
    return {
      toDevice: ({ frame, message }) => {
        if (message?.name === 'start') reported = false;
        return [frame];
      },
      toHost: ({ frame, message }) => {
        if (message?.name === 'runEnded') reported = true;
        return !reported && message?.name === 'readStatus' && message.fields.runId > 0
          ? [{ ...frame, payload: withFields(message, { state: 5 }) }]
          : [frame];
      },
    };
  }),
  mutant('PAYLOAD-6', 'counts the request id of a bad message as used', () => {
    const bad = new Set<number>();
    return {
      toHost: ({ frame, message }) => {
        if (message?.name === 'hello') bad.clear();
        if (message?.name === 'refusal' && message.fields.reason === REFUSAL.badMessage)
          bad.add(message.requestId);
        if (message?.kind !== 'answer' || !bad.has(message.requestId) || message.row.delivery !== 'once')
          return [frame];
        const { opcode } = message.row;
        const refusal = { reason: REFUSAL.stale, opcode, state: 2, detail: '' } as const;
        return [{ ...frame, payload: encodeEvent('refusal', message.requestId, refusal) }];
      },
    };
  }),
  mutant('NONCE-1', 'remembers only the nonce of the open session', () => {
    const firsts: number[] = [];
    let change = 0;
    return {
      toDevice: ({ frame, message }) => {
        if (message?.name === 'hello' && message.kind === 'command') {
          const first = message.fields.nonce[0];
          const at = firsts.lastIndexOf(first);
          const isOld = at >= 0 && at < firsts.length - 1;
          change = isOld ? 0x80 : 0;
          if (at < 0) firsts.push(first);
          if (isOld) {
            const nonce = message.fields.nonce.slice();
            nonce[0] ^= change;
            return [{ ...frame, payload: withFields(message, { nonce }) }];
          }
        }
        return [frame];
      },
      toHost: ({ frame, message }) => {
        if (change === 0 || (message?.name !== 'hello' && message?.name !== 'helloRefused')) return [frame];
        const nonce = message.fields.nonce.slice();
        nonce[0] ^= change;
        return [{ ...frame, payload: withFields(message, { nonce }) }];
      },
    };
  }),
  mutant('STATE-2', 'lets HELLO feed the watchdog', () => {
    let last: Frame | undefined;
    return {
      toDevice: ({ frame, message }) => {
        if (frame.channel === CHANNEL.command) last = { ...frame, payload: new Uint8Array(0) };
        const isOpen = message?.name === 'hello' && message.fields.nonce[0] === last?.session;
        return isOpen && last ? [frame, last] : [frame];
      },
    };
  }),
  mutant('ONCE-5', 'does not keep refusals', () => {
    const refused = new Map<number, number>();
    return {
      toHost: ({ frame, message }) => {
        if (message?.name === 'hello') refused.clear();
        if (message?.name !== 'refusal') return [frame];
        const times = (refused.get(message.requestId) ?? 0) + 1;
        refused.set(message.requestId, times);
        return times > 1 && message.fields.reason !== REFUSAL.stale
          ? [{ ...frame, payload: withFields(message, { reason: REFUSAL.stale }) }]
          : [frame];
      },
    };
  }),
  mutant('BLOCK-6', 'numbers the samples that it sends, not those that it reads', () => {
    let next = 0;
    return {
      toHost: ({ frame, message }) => {
        if (message?.name === 'start') next = 0;
        if (message?.name !== 'sampleBlock') return [frame];
        const firstSample = next;
        next += message.fields.sampleCount;
        return [{ ...frame, payload: withFields(message, { firstSample }) }];
      },
    };
  }),
];
