import { CHANNEL, FLAG_NAK } from '../../../../../firmware-protocol/framing.js';
import { type Clause, equal, must } from '../clause.js';
import type { WireHost } from '../wire-host.js';

/** An immediate answer comes within this time, ms. This is less than the delay of any retransmission. */
const AT_ONCE_MS = 200;
const FIRST_TIMEOUT_MS = 250;
/** Largest delay of a board, or of its line, after its timer, ms. */
const LATE_MS = 150;
/** Number of processes of this machine through which bytes of an emulated board pass. Each may be late. */
const HOPS = 2;
/** A timeout may come earlier by this time, ms: the clocks of both ends have steps of 1 ms. */
const EARLY_MS = 5;
/** The round trip that the board is made to measure, ms. */
const ROUND_TRIP_MS = 120;
const SENDINGS_MAX = 8;
/** Time from the first sending to the eighth expiry: 250, 500, 1000 and five times 2000 ms. */
const FAILED_MS = 11_750;
/** A board sends again within this time after a failed link has come back, ms. */
const BACK_MS = 1000;

const bare = (host: WireHost, ack: number, flags = 0): Uint8Array =>
  host.frame(CHANNEL.command, host.seq, new Uint8Array(0), { ack, flags });

const pings = (host: WireHost) => host.heard.filter(({ name }) => name === 'ping');

/** The requests of pings that were answered; answers that were only sent again do not count. */
const ids = (host: WireHost): (number | undefined)[] =>
  pings(host)
    .filter(({ repeated }) => !repeated)
    .map(({ message }) => message?.requestId);

export const LINK_CLAUSES: readonly Clause[] = [
  {
    id: 'LINK-1',
    what: 'no more frames than the window of the host are unacknowledged',
    async check({ host }) {
      await host.hello({ window: 2 });
      host.acknowledges = false;
      host.write(...[1, 2, 3, 4].map((token) => host.command('ping', { token })));
      await host.answer(2, 'the second ping');
      await host.wait(AT_ONCE_MS);
      must(!ids(host).some((id) => id !== undefined && id > 2), 'more than two answers are unacknowledged');
      host.ack = 1;
      host.acknowledges = true;
      host.acknowledge();
      await host.answer(4, 'the fourth ping, after the acknowledgement');
    },
  },
  {
    id: 'LINK-2',
    slackMs: AT_ONCE_MS / HOPS,
    what: 'a frame after a gap, and a repeated frame, are not executed',
    async check({ host }) {
      const frames = [1, 2, 3].map((token) => host.command('ping', { token }));
      host.write(frames[0], frames[0], frames[2]);
      await host.wait(AT_ONCE_MS);
      equal(ids(host), [1], 'which pings were answered before the gap was filled');
      host.write(frames[1], frames[2], frames[1]);
      await host.answer(3, 'the third ping');
      await host.wait(AT_ONCE_MS);
      equal(ids(host), [1, 2, 3], 'which pings were answered');
    },
  },
  {
    id: 'LINK-3',
    what: 'an old frame is acknowledged again; a gap causes one nak, which is not repeated',
    async check({ host }) {
      const frames = [1, 2, 3, 4].map((token) => host.command('ping', { token }));
      host.write(frames[0]);
      await host.answer(1);
      // The acknowledgement may have come in a frame of its own, after the answer.
      await host.wait(AT_ONCE_MS);
      host.skip();
      host.write(frames[0]);
      await host.next(({ frame }) => frame.ack === 0, 'an acknowledgement of a frame that came again');
      host.write(frames[2], frames[3]);
      await host.next(({ frame }) => (frame.flags & FLAG_NAK) !== 0 && frame.ack === 0, 'a nak after a gap');
      host.write(frames[2], frames[3]);
      await host.wait(AT_ONCE_MS);
      host.write(frames[1], frames[2], frames[3]);
      await host.answer(4);
      const naks = host.heard.filter(({ frame }) => (frame.flags & FLAG_NAK) !== 0).length;
      equal(naks, 1, 'how many naks one gap caused');
    },
  },
  {
    id: 'LINK-4',
    slackMs: AT_ONCE_MS / HOPS,
    what: 'after a nak all unacknowledged frames are sent again at once, in order, with the present acknowledgement',
    async check({ host }) {
      host.acknowledges = false;
      host.write(host.command('ping', { token: 1 }), host.command('ping', { token: 2 }));
      await host.answer(2);
      host.skip();
      host.write(bare(host, 65535, FLAG_NAK));
      for (const id of [1, 2]) {
        const { message, frame } = await host.next(
          ({ name }) => name === 'ping',
          'an answer that a nak asks for',
          AT_ONCE_MS,
        );
        equal(message?.requestId, id, 'the answer that came again');
        equal(frame.ack, 1, 'its acknowledgement');
      }
    },
  },
  {
    id: 'LINK-5',
    slackMs: AT_ONCE_MS / HOPS,
    what: 'an older acknowledgement changes nothing, even with a nak',
    async check(use) {
      const { host } = use;
      for (const token of [1, 2, 3]) await use.ask('ping', { token });
      await use.counters();
      await host.wait(AT_ONCE_MS);
      const before = host.heard.length;
      host.write(bare(host, 0), bare(host, 0, FLAG_NAK));
      await host.wait(AT_ONCE_MS);
      equal(
        host.heard.slice(before).filter(({ message }) => message !== undefined).length,
        0,
        'how many frames came again',
      );
      await use.ask('ping', { token: 4 });
    },
  },
  {
    id: 'LINK-6',
    slackMs: FIRST_TIMEOUT_MS,
    what: 'an acknowledgement of a frame that was never sent is ignored',
    async check({ host }) {
      host.acknowledges = false;
      host.write(host.command('ping', { token: 1 }));
      await host.answer(1);
      host.write(bare(host, 5000), bare(host, 20_000, FLAG_NAK));
      await host.next(({ name }) => name === 'ping', 'the answer again, which nobody acknowledged', 2000);
    },
  },
  {
    id: 'LINK-7',
    what: 'frames of the other channels also acknowledge',
    async check(use) {
      const { host } = use;
      await use.ask('ping', { token: 1 });
      host.write(host.stop(1, 0));
      const { frame } = await host.next(({ name }) => name === 'stop', 'an answer to stop');
      equal(frame.ack, 0, 'the acknowledgement in the answer to stop');
    },
  },
  {
    id: 'LINK-9',
    slackMs: EARLY_MS,
    what: 'the timeout follows the measured round trip',
    async check({ host }) {
      host.acknowledges = false;
      host.write(host.command('ping', { token: 1 }));
      await host.answer(1);
      await host.wait(ROUND_TRIP_MS);
      host.write(bare(host, 0), host.command('ping', { token: 2 }));
      const first = await host.next(({ message }) => message?.requestId === 2, 'the second answer');
      const again = await host.next(({ message }) => message?.requestId === 2, 'the second answer again');
      // SRTT = R and RTTVAR = R/2: the timeout is 3R and a step of the clock.
      const timeoutMs = again.atMs - first.atMs;
      const [least, most] = [3 * ROUND_TRIP_MS - EARLY_MS, 3 * (ROUND_TRIP_MS + LATE_MS) + LATE_MS];
      must(
        timeoutMs >= least && timeoutMs <= most,
        `after a round trip of ${ROUND_TRIP_MS} ms the timeout is ${timeoutMs.toFixed(0)} ms`,
      );
    },
  },
  {
    id: 'LINK-10',
    slackMs: LATE_MS / HOPS,
    what: 'the timeout is 250 ms before the first measurement, and doubles',
    async check({ host }) {
      host.acknowledges = false;
      host.write(host.command('ping', { token: 1 }));
      const times: number[] = [];
      for (let sending = 0; sending < 4; sending++)
        times.push((await host.next(({ name }) => name === 'ping', 'an answer that is sent again')).atMs);
      for (const [i, wanted] of [1, 2, 4].map((times2) => times2 * FIRST_TIMEOUT_MS).entries()) {
        const gapMs = times[i + 1] - times[i];
        must(
          gapMs >= wanted - LATE_MS && gapMs <= wanted + LATE_MS,
          `sending ${i + 2} came after ${gapMs.toFixed(0)} ms, not ${wanted}`,
        );
      }
    },
  },
  {
    id: 'LINK-11',
    slackMs: BACK_MS / HOPS,
    what: 'after the eighth expiry no command frame is sent until a good frame of the session comes',
    slow: true,
    async check({ host }) {
      host.acknowledges = false;
      host.write(host.command('ping', { token: 1 }));
      await host.answer(1);
      await host.wait(FAILED_MS + 2500);
      equal(pings(host).length, SENDINGS_MAX, 'how often an answer was sent that nobody acknowledges');
      host.skip();
      host.write(bare(host, 65535));
      await host.next(({ name }) => name === 'ping', 'the answer, after the host came back', BACK_MS);
    },
  },
];
