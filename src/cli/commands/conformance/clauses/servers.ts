import { type Bench, type Clause, equal, must, reasonName } from '../clause.js';
import type { WireHost } from '../wire-host.js';

const CONNECTIONS_MAX = 8;
/** Time that a HELLO waits until the earlier connection is closed, ms. */
const BUSY_GRACE_MS = 100;
/** A server closes a connection soon after it has decided to, ms. */
const CLOSE_MS = 2000;
/** Time that a connection may stay without a HELLO, and the largest delay of its closing after that, ms. */
const SILENT_MS = 10_000;
const SILENT_LATE_MS = 4000;

async function untilClosed(use: Bench, { port }: WireHost, withinMs: number, what: string): Promise<void> {
  const untilMs = use.clock.nowMs() + withinMs;
  while (!port.closed) {
    must(use.clock.nowMs() < untilMs, `${what} was not closed within ${withinMs} ms`);
    await use.host.wait(20);
  }
}

/** Sends HELLO on another connection and returns the reason of the refusal. */
async function refusalOf(other: WireHost): Promise<string> {
  other.write(other.helloFrame(other.begin()));
  return reasonName((await other.helloRefusal()).reason);
}

/** Rules of a server that takes connections (protocol.md, "Over TCP"). */
export const SERVER_CLAUSES: readonly Clause[] = [
  {
    id: 'TCP-2',
    slackMs: BUSY_GRACE_MS / 2,
    what: 'a host that reconnects right after it closed its connection is not refused as busy',
    connections: true,
    async check(use) {
      const next = await use.connect();
      void use.host.port.close();
      next.write(next.helloFrame(next.begin()));
      await next.helloAnswer();
    },
  },
  {
    id: 'TCP-3',
    slackMs: CLOSE_MS / 2,
    what: 'the server closes a connection after the refusal of its HELLO',
    connections: true,
    async check(use) {
      const other = await use.connect();
      equal(await refusalOf(other), 'busy', 'the reason of the refusal');
      await untilClosed(use, other, CLOSE_MS, 'a connection that was refused');
    },
  },
  {
    id: 'TCP-4',
    slackMs: SILENT_LATE_MS / 2,
    what: 'a connection that sends no HELLO for 10 s is closed',
    connections: true,
    slow: true,
    async check(use) {
      const silent = await use.connect();
      await use.host.wait(SILENT_MS / 2);
      must(!silent.port.closed, 'a silent connection was closed after half the time');
      await untilClosed(use, silent, SILENT_MS / 2 + SILENT_LATE_MS, 'a silent connection');
    },
  },
  {
    id: 'TCP-5',
    slackMs: CLOSE_MS / 2,
    what: 'a ninth connection replaces the connection that has been silent for the longest time',
    connections: true,
    async check(use) {
      const silent: WireHost[] = [];
      while (silent.length < CONNECTIONS_MAX - 1) silent.push(await use.connect());
      await use.host.wait(50);
      const ninth = await use.connect();
      await untilClosed(use, silent[0], CLOSE_MS, 'the connection that had been silent longest');
      must(!silent[1].port.closed, 'more than one connection made room');
      equal(await refusalOf(ninth), 'busy', 'the reason why the ninth is refused');
    },
  },
];
