import { encodeCommand } from '../../../../../firmware-protocol/codec.js';
import { CHANNEL } from '../../../../../firmware-protocol/framing.js';
import type { Command, CommandName } from '../../../../../firmware-protocol/messages/index.js';
import { type Bench, type Clause, equal, must, overloading, reasonName } from '../clause.js';
import { overload } from './overload.js';

const OPCODE_UNKNOWN = 127;
/** Time in time constants after which an uncoupled cell is at rest. */
const SETTLING_TAU = 16;
/** A run number that no session reaches. */
const NO_RUN = 4_000_000;
/** Largest distance between the resting voltage of a real cell and its ideal value, V_fs. */
const RESTS_WITHIN = 1 / 8;

/**
 * Sends payloads on the command channel. Throws unless the board counts all of them as rejected and answers
 * none of them as a ping.
 */
async function rejected(use: Bench, payloads: readonly (readonly number[])[], what: string): Promise<void> {
  const { host } = use;
  const before = await use.counters();
  host.write(...payloads.map((payload) => host.payloadFrame(Uint8Array.from(payload))));
  const { messagesRejected } = await use.counters();
  equal(messagesRejected - before.messagesRejected, payloads.length, `how many of ${what} were rejected`);
  must(!host.heard.some(({ name }) => name === 'ping'), `one of ${what} was executed`);
}

/** Throws unless a payload is refused for this reason. */
async function refusedFor(
  use: Bench,
  payload: readonly number[],
  reason: string,
  what: string,
): Promise<void> {
  const { host } = use;
  const requestId = payload[2];
  host.write(host.payloadFrame(Uint8Array.from(payload)));
  const { refusal } = await host.answer(requestId, what);
  must(refusal !== undefined, `${what} was not refused`);
  equal(reasonName(refusal.reason), reason, `the reason why ${what} was refused`);
  host.requestId = Math.max(host.requestId, requestId);
}

export const PAYLOAD_CLAUSES: readonly Clause[] = [
  {
    id: 'PAYLOAD-1',
    what: 'opcodes above 127 and request ids above 2³² − 1 are rejected; request id 2³² − 1 is answered',
    async check(use) {
      await rejected(
        use,
        [
          [0x93, 0xcc, 200, 50, 7],
          [0x93, 1, 0xcf, 0, 0, 0, 1, 0, 0, 0, 0, 7],
        ],
        'a large opcode and a large request id',
      );
      const { host } = use;
      host.write(host.command('ping', { token: 5 }, 2 ** 32 - 1));
      equal((await host.answer<'ping'>(2 ** 32 - 1)).fields?.token, 5, 'the token');
    },
  },
  {
    id: 'PAYLOAD-2',
    what: 'integers in longer forms, texts that are no UTF-8 and deep arrays are rejected',
    check: (use) =>
      rejected(
        use,
        [
          [0x93, 1, 50, 0xcc, 7],
          [0x93, 1, 51, 0xcd, 0, 7],
          [0x93, 1, 52, 0xa1, 0xff],
          [0x93, 1, 53, 0x91, 0x91, 7],
          [0xdc, 0, 3, 1, 54, 7],
        ],
        'payloads outside the restricted MessagePack',
      ),
  },
  {
    id: 'PAYLOAD-3',
    what: 'floats, booleans, nil, maps and extensions are rejected',
    check: (use) =>
      rejected(
        use,
        [
          [0x93, 1, 50, 0xca, 0, 0, 0, 0],
          [0x93, 1, 51, 0xc3],
          [0x93, 1, 52, 0xc0],
          [0x93, 1, 53, 0x80],
          [0x93, 1, 54, 0xd4, 1, 7],
        ],
        'payloads with floats, booleans, nil, maps and extensions',
      ),
  },
  {
    id: 'PAYLOAD-4',
    what: 'items after the known fields are ignored, and bulk data may start at any byte',
    async check(use) {
      const { host } = use;
      host.write(host.payloadFrame(Uint8Array.of(0x95, 1, ++host.requestId, 7, 8, 0xa1, 0x61)));
      equal(
        (await host.answer<'ping'>(host.requestId)).fields?.token,
        7,
        'the token of a ping with more items',
      );
      await use.load();
      for (const request of [1000, 100_000]) {
        host.requestId = request;
        const codes = Uint8Array.of(1, 2);
        await use.ask('writeDrive', { bank: 0, firstCell: 0, codes });
        const read = await use.ask('readProgram', { bank: 0, section: 1, firstEntry: 0, count: 1 });
        equal(read.codes, codes, 'a code that was written');
      }
    },
  },
  {
    id: 'PAYLOAD-5',
    what: 'a message on a wrong channel is counted as rejected and not executed',
    async check(use) {
      const { host } = use;
      const before = await use.counters();
      host.write(host.frame(CHANNEL.sample, 0, encodeCommand('ping', 77, { token: 1 })));
      host.write(host.frame(CHANNEL.stop, 0, encodeCommand('acknowledge', 78, {})));
      await host.settle();
      const { messagesRejected } = await use.counters();
      equal(messagesRejected - before.messagesRejected, 2, 'the count of rejected messages');
      const ids = host.heard.map(({ message }) => message?.requestId);
      must(!ids.includes(77) && !ids.includes(78), 'a message of another channel was answered');
    },
  },
  {
    id: 'PAYLOAD-6',
    what: 'an unknown command is refused as unknownCommand, a bad message as badMessage; their request ids count as not used',
    async check(use) {
      const { host } = use;
      await refusedFor(use, [0x92, OPCODE_UNKNOWN, 20], 'unknownCommand', 'an unknown command');
      await refusedFor(use, [0x92, 1, 21], 'badMessage', 'a ping without a token');
      await refusedFor(use, [0x91 + 1, 32, 30], 'badMessage', 'a start without fields');
      // The bad message did not use id 30, so a command may have this id.
      host.write(host.command('acknowledge', {}, 30));
      const { refusal } = await host.answer(30, 'a command whose id a bad message had');
      must(refusal === undefined, 'the request id of a bad message counted as used');
    },
  },
  {
    id: 'PAYLOAD-7',
    what: 'a command with request id 0 is refused as badMessage, and counted',
    async check(use) {
      const { host } = use;
      const before = await use.counters();
      host.write(host.command('ping', { token: 1 }, 0));
      const { refusal } = await host.answer(0, 'a ping with request id 0');
      equal(refusal && reasonName(refusal.reason), 'badMessage', 'the reason of the refusal');
      const { messagesRejected } = await use.counters();
      equal(messagesRejected - before.messagesRejected, 1, 'the count of rejected messages');
    },
  },
  {
    id: 'PAYLOAD-8',
    what: 'numbers within byte strings are little-endian',
    async check(use) {
      const { board } = use;
      const image = overloading(board);
      image.drive.fill(0, 0, -1);
      const { overloadedCells } = await overload(use, { image });
      equal(
        overloadedCells,
        Uint8Array.of(image.cells - 1, 0),
        'the number of the cell that passed its rail, as bytes',
      );
      await use.ask('acknowledge', {});
      await use.load();
      await use.start({ burnInTicks: SETTLING_TAU * 2 ** board.tickLog2 });
      await use.ended();
      const [{ codes }] = use.blocks();
      // The ADC covers ±2 V_fs, and the cell rests at ¼ V_fs.
      const volts = new DataView(codes.slice().buffer).getInt16(0, true) / 2 ** (board.adcBits - 2);
      must(
        Math.abs(volts - 1 / 4) < RESTS_WITHIN,
        `a cell that should rest at 0.25 V_fs rests at ${volts} V_fs`,
      );
    },
  },
  {
    id: 'PAYLOAD-9',
    what: 'an answer has the opcode and the request id of its command',
    async check({ host }) {
      const ask = async <N extends CommandName>(name: N, fields: Command<N>): Promise<void> => {
        host.requestId += 1000;
        host.write(host.command(name, fields, host.requestId));
        const { message } = await host.next((heard) => heard.name === name, `an answer to ${name}`);
        equal(message?.requestId, host.requestId, `the request id of the answer to ${name}`);
      };
      await ask('ping', { token: 1 });
      await ask('readStatus', {});
      await ask('acknowledge', {});
    },
  },
  {
    id: 'PAYLOAD-10',
    what: 'an event has request id 0; a refusal has the request id of its command',
    async check(use) {
      const { host } = use;
      await use.load();
      host.requestId = 500;
      await use.start();
      await use.ended();
      await use.refused('abort', { runId: NO_RUN }, 'outOfRange', 'an abort of a run that never was');
      for (const { message } of host.heard) {
        if (message?.kind !== 'event') continue;
        const wanted = message.name === 'refusal' ? host.requestId : 0;
        equal(message.requestId, wanted, `the request id of ${message.name}`);
      }
    },
  },
];
