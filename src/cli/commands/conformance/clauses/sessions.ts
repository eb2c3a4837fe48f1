import { encodeCommand } from '../../../../../firmware-protocol/codec.js';
import { DEVICE_STATE, RUN_OUTCOME } from '../../../../../firmware-protocol/device-status.js';
import type { Command } from '../../../../../firmware-protocol/messages/index.js';
import { HELLO_PURPOSE, REFUSAL } from '../../../../../firmware-protocol/messages/system.js';
import { PROTOCOL_MAJOR, PROTOCOL_MINOR, TABLE_HASH } from '../../../../../firmware-protocol/version.js';
import { helloFields } from '../../../../driver/hello.js';

import { type Clause, ENDLESS, equal, must, reasonName, START, shapeOf, uncoupled } from '../clause.js';
import { freshNonce } from '../wire-host.js';

/** Boards remember the open session and the last four that have ended. */
const REMEMBERED = 5;
/** After a session is resumed, unacknowledged frames come again within this time, ms. */
const RESUME_MS = 1000;
/** A server notices within this time that a client has disconnected, ms. */
const GONE_MS = 3000;

/** The payload without its last `items` items, which take one byte each, as `purpose` of HELLO does. */
function shortened(payload: Uint8Array, items: number): Uint8Array {
  const cut = payload.slice(0, payload.length - items);
  cut[0] -= items;
  return cut;
}

export const SESSION_CLAUSES: readonly Clause[] = [
  {
    id: 'SESSION-2',
    what: 'a HELLO with a new nonce opens a new session: run and stop are forgotten, and a board in safe becomes idle',
    async check(use) {
      const { host } = use;
      await use.load();
      await use.start(ENDLESS);
      host.write(host.stop(3));
      await host.next(({ name }) => name === 'stop', 'an answer to stop');
      await host.hello();
      const { state, stopNumber, runId } = await use.status();
      equal(state, DEVICE_STATE.idle, 'the state in a new session after a stop');
      equal([stopNumber, runId], [0, 0], 'stop number and run id of a new session');
    },
  },
  {
    id: 'SESSION-3',
    what: 'programs stay when a new session opens',
    async check(use) {
      await use.load();
      await use.host.hello();
      must(((await use.status()).committedBanks & 1) === 1, 'the committed program is gone');
    },
  },
  {
    id: 'SESSION-4',
    what: 'a HELLO with the nonce of the open session is answered with resumed = 1 and changes nothing',
    async check(use) {
      const { host, board } = use;
      await use.ask('ping', { token: 1 });
      host.write(host.helloFrame(host.nonce));
      const again = await host.helloAnswer();
      equal(again, { ...board, nonce: host.nonce, resumed: 1 }, 'the second answer to HELLO');
      await use.ask('ping', { token: 2 });
    },
  },
  {
    id: 'SESSION-5',
    what: 'a HELLO with another major version, or with another table hash of the same minor version, is refused as version',
    async check({ host }) {
      const changes: Partial<Command<'hello'>>[] = [
        { major: PROTOCOL_MAJOR + 1 },
        { tableHash: new Uint8Array(8) },
      ];
      for (const change of changes) {
        host.write(host.helloFrame(freshNonce(), change));
        const { reason, major, minor, tableHash } = await host.helloRefusal();
        equal(reasonName(reason), 'version', 'the reason of the refusal');
        equal(
          [major, minor, tableHash],
          [PROTOCOL_MAJOR, PROTOCOL_MINOR, TABLE_HASH],
          'the version of the board',
        );
      }
    },
  },
  {
    id: 'SESSION-6',
    what: 'a HELLO with a nonce of zeros is counted as rejected and not answered',
    async check(use) {
      const { host } = use;
      const before = await use.counters();
      host.skip();
      host.write(host.openFrame(encodeCommand('hello', 0, helloFields(new Uint8Array(8), 65536))));
      const { messagesRejected } = await use.counters();
      equal(messagesRejected - before.messagesRejected, 1, 'the count of rejected messages');
      const hellos = host.heard.filter(({ name }) => name === 'hello' || name === 'helloRefused');
      equal(hellos.length, 1, 'how many HELLOs were answered');
    },
  },
  {
    id: 'SESSION-7',
    what: 'a new session gets no report of the run that it ended',
    async check(use) {
      await use.load();
      await use.start(ENDLESS);
      await use.host.hello();
      await use.host.settle();
      equal(use.host.events('runEnded').length, 0, 'how many runs were reported to the new session');
    },
  },
  {
    id: 'SESSION-8',
    what: 'runId begins anew in a new session; the tick and the counters do not',
    async check(use) {
      await use.load();
      const first = await use.start({ burnInTicks: 20 });
      await use.ended();
      const { tick } = await use.status();
      const { framesReceived } = await use.counters();
      await use.host.hello();
      equal((await use.status()).tick, tick, 'the tick after a new session');
      must((await use.counters()).framesReceived > framesReceived, 'the counters began anew');
      await use.load();
      equal(await use.start(), first, 'the first run id of the next session');
    },
  },
  {
    id: 'RESUME-1',
    what: 'a HELLO with purpose resume opens no session',
    async check(use) {
      const { host } = use;
      const unknown = freshNonce();
      host.write(host.helloFrame(unknown, { purpose: HELLO_PURPOSE.resume }));
      const { resumed, nonce } = await host.helloAnswer();
      equal([nonce, resumed], [unknown, 0], 'nonce and resumed of a session that is not open');
      equal((await use.ask('ping', { token: 5 })).token, 5, 'the token in the session that is open');
    },
  },
  {
    id: 'RESUME-2',
    slackMs: RESUME_MS / 2,
    what: 'a resumed session continues: unacknowledged frames come again',
    async check(use) {
      const { host } = use;
      host.acknowledges = false;
      host.write(host.command('ping', { token: 1 }));
      // After three expiries of the timeout the next expiry is 2 s away, so the fifth sending below is due to
      // the HELLO.
      for (let sending = 0; sending < 4; sending++)
        await host.next(({ name }) => name === 'ping', 'an answer that is sent again');
      host.write(host.helloFrame(host.nonce, { purpose: HELLO_PURPOSE.resume }));
      equal((await host.helloAnswer()).resumed, 1, 'resumed');
      await host.next(({ name }) => name === 'ping', 'the unacknowledged answer, after resuming', RESUME_MS);
    },
  },
  {
    id: 'NONCE-1',
    what: 'a nonce with the first byte of the nonce of the open session or of the last four ended sessions is refused as stale',
    async check({ host }) {
      const firsts = [host.nonce[0]];
      while (firsts.length < REMEMBERED) {
        await host.hello();
        firsts.push(host.nonce[0]);
      }
      for (const first of firsts) {
        const nonce = freshNonce();
        nonce[0] = first;
        host.write(host.helloFrame(nonce));
        equal(reasonName((await host.helloRefusal()).reason), 'stale', 'the reason of the refusal');
      }
    },
  },
  {
    id: 'CLIENT-1',
    what: 'a second client opens no session',
    connections: true,
    async check(use) {
      const other = await use.connect();
      const nonce = other.begin();
      other.write(other.helloFrame(nonce));
      await other.helloRefusal();
      must(!other.heard.some(({ name }) => name === 'hello'), 'a second client got a session');
    },
  },
  {
    id: 'CLIENT-2',
    what: 'a second client is refused as busy, and the first client is not disturbed',
    connections: true,
    async check(use) {
      await use.load();
      await use.start(ENDLESS);
      const other = await use.connect();
      other.write(other.helloFrame(other.begin()));
      equal(reasonName((await other.helloRefusal()).reason), 'busy', 'the reason of the refusal');
      equal(
        (await use.status()).state,
        DEVICE_STATE.running,
        'the state of the board during the run of the first client',
      );
    },
  },
  {
    id: 'CLIENT-3',
    slackMs: GONE_MS / 2,
    what: 'when a connection closes, its session and run end, the nonce of the session becomes stale, and programs stay',
    connections: true,
    async check(use) {
      await use.load();
      await use.start(ENDLESS);
      await use.host.port.close();
      const untilMs = use.clock.nowMs() + GONE_MS;
      for (;;) {
        // A server closes a connection whose HELLO was refused, so each attempt opens another connection.
        const other = await use.connect();
        other.write(other.helloFrame(use.host.nonce));
        const reason = reasonName((await other.helloRefusal()).reason);
        await other.port.close();
        if (reason !== 'busy') {
          equal(reason, 'stale', 'the reason why the nonce of a session that has ended was refused');
          break;
        }
        must(use.clock.nowMs() < untilMs, 'the session of a client that has gone is still open');
        await use.host.wait(50);
      }
      const next = await use.connect();
      await next.hello();
      const { fields } = await next.ask('readStatus', {});
      equal([fields?.state, fields?.runId], [DEVICE_STATE.idle, 0], 'state and run of the next session');
      must(((fields?.committedBanks ?? 0) & 1) === 1, 'the program is gone');
    },
  },
  {
    id: 'VERSION-1',
    what: 'a HELLO with another major version and unknown fields is refused with the version of the board',
    async check({ host }) {
      const payload = host.helloPayload(freshNonce(), { major: PROTOCOL_MAJOR + 1, minor: 40_000 });
      const longer = new Uint8Array([...payload, 7, 0xa1, 0x61]);
      longer[0] += 2;
      host.write(host.openFrame(longer));
      const { reason, major, minor } = await host.helloRefusal();
      equal([reason, major, minor], [REFUSAL.version, PROTOCOL_MAJOR, PROTOCOL_MINOR], 'reason and version');
    },
  },
  {
    id: 'VERSION-2',
    what: 'a host of a later minor version is answered with the minor version of the board',
    async check({ host }) {
      const { minor } = await host.hello({ minor: PROTOCOL_MINOR + 1, tableHash: new Uint8Array(8) });
      equal(minor, PROTOCOL_MINOR, 'the minor version in the answer');
    },
  },
  {
    id: 'VERSION-3',
    what: 'HELLO, defineProgram and start of minor 0, which have fewer fields, are accepted',
    async check(use) {
      const { host, board } = use;
      const nonce = host.begin();
      const old = host.helloPayload(nonce, { minor: 0, tableHash: new Uint8Array(8) });
      host.write(host.openFrame(shortened(old, 1)));
      await host.helloAnswer();
      await use.load(uncoupled(board, { drive: new Int16Array(Math.min(4, board.cells)) }));
      const shape = encodeCommand('defineProgram', ++host.requestId, shapeOf(0, uncoupled(board)));
      // The last item, `linearRows`, is 65535 here and takes three bytes.
      const cut = shape.slice(0, shape.length - 3);
      cut[0]--;
      host.write(host.payloadFrame(cut));
      must(
        (await host.answer(host.requestId)).refusal === undefined,
        'a defineProgram of minor 0 was refused',
      );
      await use.load();
      const hold = use.has('hold') ? {} : { onNoCredit: 1 as const };
      const start = encodeCommand('start', ++host.requestId, { ...START, ...hold });
      // The last two items, `statistics` and `batchSamples`, are 0 and take one byte each. An array of more
      // than 15 items begins with 0xdc and a count of two bytes.
      const early = start.slice(0, start.length - 2);
      if (early[0] === 0xdc) early[2] -= 2;
      else early[0] -= 2;
      const normal =
        early[0] === 0xdc && early[2] <= 15 ? Uint8Array.of(0x90 + early[2], ...early.slice(3)) : early;
      host.write(host.payloadFrame(normal));
      must((await host.answer(host.requestId)).refusal === undefined, 'a start of minor 0 was refused');
      equal((await use.ended()).outcome, RUN_OUTCOME.completed, 'the outcome of that run');
    },
  },
  {
    id: 'VERSION-4',
    what: 'a host of version 1.0 is told only the features of version 1.0',
    async check({ host }) {
      const { features } = await host.hello({ minor: 0, tableHash: new Uint8Array(8) });
      must(features <= 7, `features are ${features}; to a host of minor 0 they are 7 at most`);
    },
  },
];
