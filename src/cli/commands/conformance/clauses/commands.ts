import { DEVICE_STATE, RUN_OUTCOME } from '../../../../../firmware-protocol/device-status.js';
import { CHANNEL } from '../../../../../firmware-protocol/framing.js';
import { U32_MAX } from '../../../../../firmware-protocol/limits.js';
import type { Command } from '../../../../../firmware-protocol/messages/index.js';
import { type Clause, ENDLESS, equal, must, reasonName, START, Unseen, uncoupled } from '../clause.js';

/**
 * ONCE-6 sends as many commands as fit this number of windows. No board can queue answers to so many
 * commands.
 */
const WINDOWS_FILLED = 4;
/** The value of `ack` until the first command frame has come. */
const NOTHING = 65535;
const ROUND_MS = 40;
/** A run number that no session reaches. */
const NO_RUN = 4_000_000;
const IDLE_ROUNDS = 5;
const FINISH_MS = 8000;

export const COMMAND_CLAUSES: readonly Clause[] = [
  {
    id: 'ONCE-1',
    what: 'a start that comes twice is executed once',
    async check(use) {
      const { host } = use;
      await use.load();
      const hold = use.has('hold') ? {} : { onNoCredit: 1 as const };
      await use.start();
      const { requestId } = host;
      await use.ended();
      host.write(host.command('start', { ...START, ...hold }, requestId));
      await host.answer(requestId, 'a start that came again');
      await host.settle();
      equal((await use.status()).runId, 1, 'the number of the last run');
    },
  },
  {
    id: 'ONCE-2',
    what: 'a repeated request gets its kept answer again',
    async check(use) {
      const { host } = use;
      await use.load();
      const hold = use.has('hold') ? {} : { onNoCredit: 1 as const };
      const runId = await use.start();
      const { requestId } = host;
      await use.ended();
      host.write(host.command('start', { ...START, ...hold }, requestId));
      const { fields } = await host.answer<'start'>(requestId, 'a start that came again');
      equal(fields?.runId, runId, 'the run id in the answer that was kept');
    },
  },
  {
    id: 'ONCE-4',
    what: 'a command whose request id is not above all earlier ids and has no kept answer is refused as stale',
    async check(use) {
      const { host } = use;
      host.requestId = 9;
      await use.ask('acknowledge', {});
      host.write(host.command('acknowledge', {}, 5));
      const { refusal } = await host.answer(5, 'a request with an id below earlier ones');
      equal(refusal && reasonName(refusal.reason), 'stale', 'the reason of the refusal');
    },
  },
  {
    id: 'ONCE-5',
    what: 'the last answers and refusals are kept, as many as answerCache says',
    async check(use) {
      const { host, board } = use;
      const first = host.requestId + 1;
      await host.ask('abort', { runId: NO_RUN });
      for (let left = board.answerCache - 1; left > 0; left--) await use.ask('acknowledge', {});
      const before = host.heard.find(({ message }) => message?.requestId === first);
      host.write(host.command('abort', { runId: NO_RUN }, first));
      const again = await host.next(
        ({ message, repeated }) => message?.requestId === first && !repeated,
        'the kept answer',
      );
      equal(again.payload, before?.payload, 'the kept answer');
    },
  },
  {
    id: 'ONCE-6',
    slackMs: FINISH_MS / 4,
    what: 'a command is taken only while its answer can be queued, so no answer is lost',
    async check({ host, board }) {
      await host.hello({ window: 1 });
      host.acknowledges = false;
      const frames = Array.from({ length: WINDOWS_FILLED * board.window }, (_, token) =>
        host.command('ping', { token }),
      );
      /** The number of commands that the board has acknowledged. It must answer these commands. */
      const stored = (): number =>
        host.heard.reduce(
          (most, { frame: { channel, ack } }) =>
            channel === CHANNEL.command && ack !== NOTHING ? Math.max(most, ack + 1) : most,
          0,
        );
      const answered = (): number =>
        new Set(host.heard.filter(({ name }) => name === 'ping').map(({ message }) => message?.requestId))
          .size;
      // The host acknowledges no answer, so the board must run out of room for answers.
      for (let sent = 0, idle = 0; idle < IDLE_ROUNDS; ) {
        const end = Math.min(frames.length, stored() + board.window);
        idle = end > sent ? 0 : idle + 1;
        host.write(...frames.slice(sent, end));
        sent = Math.max(sent, end);
        await host.wait(ROUND_MS);
      }
      host.acknowledges = true;
      if (answered() > 0) host.ack = 0;
      host.acknowledge();
      // From now on the host acknowledges, and sends the commands again that the board did not acknowledge.
      const untilMs = host.clock.nowMs() + FINISH_MS;
      while (answered() < frames.length && host.clock.nowMs() < untilMs) {
        host.write(...frames.slice(stored(), stored() + board.window));
        await host.wait(ROUND_MS);
      }
      equal(answered(), frames.length, `how many of ${frames.length} commands were answered`);
    },
  },
  {
    id: 'ONCE-7',
    what: 'a refused read is executed again when it is repeated',
    async check(use) {
      const { host, board } = use;
      if (board.cells < 2) throw new Unseen('the board has one cell');
      await use.load(uncoupled(board, { cells: 1 }));
      const last: Command<'readProgram'> = { bank: 0, section: 1, firstEntry: 1, count: 1 };
      await use.refused('readProgram', last, 'outOfRange', 'the drive of a cell that the program lacks');
      const { requestId } = host;
      await use.load(uncoupled(board, { cells: 2 }));
      host.write(host.command('readProgram', last, requestId));
      const { refusal } = await host.answer<'readProgram'>(requestId, 'a read that comes again');
      must(refusal === undefined, 'the refusal of a read was kept');
    },
  },
  {
    id: 'STOP-1',
    what: 'a stop is executed before commands that wait behind a gap',
    async check({ host }) {
      host.seq++;
      host.write(host.command('ping', { token: 1 }), host.stop(1));
      await host.next(({ name }) => name === 'stop', 'an answer to a stop behind a gap', 2000);
      must(!host.heard.some(({ name }) => name === 'ping'), 'a command behind a gap was executed');
    },
  },
  {
    id: 'STOP-2',
    what: 'a stop ends the run and leads to safe; commands up to its lastRequestId are refused as cancelled',
    async check(use) {
      const { host } = use;
      await use.load();
      await use.start(ENDLESS);
      const { requestId } = host;
      host.write(
        host.stop(1, requestId + 1),
        host.command('acknowledge', {}),
        host.command('ping', { token: 1 }),
      );
      const { message } = await host.next(({ name }) => name === 'stop', 'an answer to stop');
      must(message?.kind === 'answer' && message.name === 'stop', 'a stop was not answered');
      equal(message.fields.state, DEVICE_STATE.safe, 'the state in the answer to stop');
      equal((await use.ended()).outcome, RUN_OUTCOME.stopped, 'the outcome of the run');
      await host.settle();
      const first = host.heard.find(({ message: said }) => said?.requestId === requestId + 1);
      must(
        first?.message?.kind === 'event' && first.message.name === 'refusal',
        'a command that the stop names was executed',
      );
      equal(reasonName(first.message.fields.reason), 'cancelled', 'the reason of the refusal');
      equal((await use.status()).state, DEVICE_STATE.safe, 'the state after a stop');
    },
  },
  {
    id: 'STOP-3',
    what: 'an old stop number is answered and ignored; a stop with another nonce is ignored',
    async check(use) {
      const { host } = use;
      host.write(host.stop(5));
      await host.next(({ name }) => name === 'stop', 'an answer to stop');
      await use.ask('acknowledge', {});
      for (const old of [5, 4]) {
        host.write(host.stop(old));
        await host.next(({ name }) => name === 'stop', 'an answer to an old stop');
      }
      equal((await use.status()).state, DEVICE_STATE.idle, 'the state after an old stop');
      const foreign = host.nonce.slice();
      foreign[7] ^= 1;
      const before = host.heard.filter(({ name }) => name === 'stop').length;
      host.write(host.stop(9, host.requestId, { nonce: foreign }));
      await host.settle();
      equal((await use.status()).state, DEVICE_STATE.idle, 'the state after the stop of another session');
      equal(host.heard.filter(({ name }) => name === 'stop').length, before, 'how many stops were answered');
    },
  },
  {
    id: 'STOP-4',
    what: 'after a stop a run starts only after acknowledge and another commit',
    async check(use) {
      const { host } = use;
      const hold = use.has('hold') ? {} : { onNoCredit: 1 as const };
      await use.load();
      host.write(host.stop(1));
      await host.next(({ name }) => name === 'stop', 'an answer to stop');
      await use.refused('start', { ...START, ...hold }, 'wrongState', 'a start in safe');
      await use.load();
      await use.refused('start', { ...START, ...hold }, 'wrongState', 'a start before acknowledge');
      await use.ask('acknowledge', {});
      await use.refused('start', { ...START, ...hold }, 'wrongState', 'a start before another commit');
      await use.load();
      await use.start();
    },
  },
  {
    id: 'STOP-5',
    what: 'after a stop programs stay committed, and after a further commit of one program any of them can start',
    async check(use) {
      const { host, board } = use;
      if (board.banks < 2) throw new Unseen('the board has one bank');
      await use.load();
      await use.load(uncoupled(board), 1);
      host.write(host.stop(1));
      await host.next(({ name }) => name === 'stop', 'an answer to stop');
      equal((await use.status()).committedBanks, 3, 'the committed banks after a stop');
      await use.ask('acknowledge', {});
      await use.load(uncoupled(board), 1);
      const { state, committedBanks } = await use.status();
      equal([state, committedBanks], [DEVICE_STATE.configured, 3], 'state and banks after one commit');
      await use.start({ bank: 0 });
    },
  },
  {
    id: 'STOP-6',
    what: 'a stop with the largest request id cancels every later command of the session',
    async check(use) {
      const { host } = use;
      host.write(host.stop(1, U32_MAX));
      await host.next(({ name }) => name === 'stop', 'an answer to stop');
      await use.refused('acknowledge', {}, 'cancelled', 'a command after a stop of all');
      host.requestId = U32_MAX - 1;
      await use.refused('acknowledge', {}, 'cancelled', 'the last command of the session');
      await host.hello();
      await use.ask('acknowledge', {});
    },
  },
];
