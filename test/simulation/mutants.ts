/** A deliberate bug: in the compiled `file`, `find`, which occurs exactly once, becomes `replace`. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const LINK = 'firmware-protocol/link/link.js';
const SENDER = 'firmware-protocol/link/command-sender.js';
const FRAMING = 'firmware-protocol/framing.js';
const DISPATCHER = 'emulator/firmware/dispatcher.js';
const DEVICE = 'emulator/device.js';
const RUN_ENGINE = 'emulator/firmware/run-engine.js';
const RUN_STREAM = 'src/driver/run-stream.js';
const BLOCK_ORDER = 'src/driver/block-order.js';

/** The bugs in link, driver and device that the simulator's checkers must find. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'a frame of an old session is accepted',
    file: LINK,
    find: 'frame.channel !== CHANNEL.open && frame.session !== this.#session',
    replace: 'false',
  },
  {
    name: 'a cached request is executed again',
    file: DISPATCHER,
    find: "row.delivery === 'once' && requestId <= session.lastRequestId",
    replace: 'false',
  },
  {
    name: 'a start is executed after the stop that cancelled it',
    file: DISPATCHER,
    find: 'requestId <= this.#board.cancelledUpTo',
    replace: 'false',
  },
  {
    name: 'the expected sequence number does not wrap around',
    file: LINK,
    find: 'this.#expectedSeq = wrapSequence(this.#expectedSeq + 1);',
    replace: 'this.#expectedSeq = this.#expectedSeq + 1;',
  },
  {
    name: 'a credit that was lost is not repeated',
    file: RUN_STREAM,
    find: 'else if (missing)\n            this.#request(missing.firstBlock, missing.firstBlock + missing.count);\n        this.#sendCredit();',
    replace:
      'else if (missing)\n            this.#request(missing.firstBlock, missing.firstBlock + missing.count);',
  },
  {
    name: 'a frame is acknowledged that was not stored: one after a gap',
    file: LINK,
    find: 'this.counters.framesOutOfOrder++;',
    replace: 'this.#expectedSeq = wrapSequence(frame.seq + 1); this.#ackOwed = true;',
  },
  {
    name: 'a frame is acknowledged that was not stored: its answer has no room',
    file: LINK,
    find: 'this.counters.framesWithoutRoom++;',
    replace: 'this.#expectedSeq = wrapSequence(this.#expectedSeq + 1); this.#ackOwed = true;',
  },
  {
    name: 'an old acknowledgement is believed',
    file: SENDER,
    find: 'const count = wrapSequence(ack - lastAcked);',
    replace: 'const count = Math.min(this.#inFlight.length, wrapSequence(ack - lastAcked));',
  },
  {
    name: 'nothing is sent again after a timeout',
    file: SENDER,
    find: 'this.#roundTrip.backOff();\n        this.#cursor = 0;',
    replace: 'this.#roundTrip.backOff();',
  },
  {
    name: 'a new session goes on with the old sequence numbers',
    file: SENDER,
    find: 'this.#nextSeq = 0;\n        this.#queuedCount = 0;',
    replace: 'this.#queuedCount = 0;',
  },
  {
    name: 'a resumed session sends nothing again',
    file: SENDER,
    find: 'resume() {\n        this.#retries = 0;\n        this.#cursor = 0;',
    replace: 'resume() {\n        this.#retries = 0;\n        this.#roundTrip.measure(60000);',
  },
  {
    name: 'frames with a bad CRC are accepted',
    file: FRAMING,
    find: 'if (stored !== crc32(raw.subarray(0, end)))',
    replace: 'if (false)',
  },
  {
    name: 'the watchdog never trips',
    file: DEVICE,
    find: 'if (dueMs === undefined || nowMs < dueMs)',
    replace: 'if (true)',
  },
  {
    name: 'the watchdog is not fed by frames without a message',
    file: LINK,
    find: 'this.#lastHeardMs = nowMs;',
    replace: 'if (frame.payload.length > 0) this.#lastHeardMs = nowMs;',
  },
  {
    name: 'an old stop takes effect again',
    file: DISPATCHER,
    find: 'fields.stopNumber > board.stopNumber',
    replace: 'fields.stopNumber >= board.stopNumber',
  },
  {
    name: 'blocks are sent beyond the credit',
    file: RUN_ENGINE,
    find: '!block || block.block >= this.#credit',
    replace: '!block || block.block > this.#credit',
  },
  {
    name: 'blocks that are asked for again are taken from the wrong place',
    file: RUN_ENGINE,
    find: 'block.block >= firstBlock && block.block < firstBlock + count',
    replace: 'block.block > firstBlock && block.block <= firstBlock + count',
  },
  {
    name: 'a gap between samples goes unnoticed',
    file: BLOCK_ORDER,
    find: 'if (firstSample !== this.#sample || firstCell !== this.#cell)',
    replace: 'if (firstSample > this.#sample + 1)',
  },
  {
    name: 'a stop is reported done by the answer to an earlier one',
    file: 'src/driver/stopper.js',
    find: 'wait.stopNumber <= answered',
    replace: 'true',
  },
  {
    name: 'a lost session is taken for a resumed one',
    file: 'src/driver/reconnect.js',
    find: 'greeting.resumed && sameBoot && connection.mayResume',
    replace: 'true',
  },
  {
    name: 'in half of all sessions the board ignores stops',
    file: DISPATCHER,
    find: 'if (!equalBytes(fields.nonce, this.session.nonce))',
    replace: 'if (this.session.nonce[7] & 1)',
  },
  {
    name: 'every fortieth call that waits for room is forgotten',
    file: 'src/driver/send-room.js',
    find: 'this.#waiters.shift()?.();',
    replace:
      'const next = this.#waiters.shift(); this.passed = (this.passed ?? 0) + 1; if (this.passed % 40) next?.();',
  },
  {
    name: 'a lost board is not always looked for',
    file: 'src/driver/reconnect.js',
    find: "this.#keeper.tell({ kind: 'disconnected', reason });",
    replace:
      "this.lost = (this.lost ?? 0) + 1; if (this.lost % 3 === 0) return; this.#keeper.tell({ kind: 'disconnected', reason });",
  },
  {
    name: 'a watchdog is fed too seldom',
    file: 'src/driver/run-keeper.js',
    find: 'this.#beatEvery(watchdogMs / 4);',
    replace: 'this.#beatEvery(watchdogMs / 1.9);',
  },
  {
    name: 'a command that was never sent is said to be of unknown outcome',
    file: 'src/driver/pending-calls.js',
    find: 'call.wasSent()',
    replace: 'true',
  },
  {
    name: 'the nonce of a session may have the first byte of a session that has ended lately',
    file: DISPATCHER,
    find: 'other[0] === nonce[0]',
    replace: 'equalBytes(other, nonce)',
  },
  {
    name: 'a HELLO that only asks for a session opens one',
    file: 'emulator/firmware/dispatcher.js',
    find: 'fields.purpose === HELLO_PURPOSE.open',
    replace: 'true',
  },
  {
    name: 'a command whose outcome is unknown is said to have failed',
    file: 'src/driver/call-errors.js',
    find: "!mayHaveHappened(name) || cause.code === 'ABORTED'",
    replace: 'true',
  },
  {
    name: 'a chunk of a program is written one byte short',
    file: 'emulator/firmware/program-memory.js',
    find: 'codeBytes(target).set(codes, firstEntry * width);',
    replace: 'codeBytes(target).set(codes.subarray(1), firstEntry * width);',
  },
  {
    name: 'a run goes on when its host has hung up',
    file: DEVICE,
    find: "this.#board.input('stopped');\n        this.#board.dropRun();",
    replace: '',
  },
  {
    name: 'the answer that is kept is another command’s',
    file: DISPATCHER,
    find: 'session.answers.get(requestId)',
    replace: 'session.answers.get(requestId - 1)',
  },
  {
    name: 'a call that waits for room is forgotten',
    file: 'src/driver/send-room.js',
    find: 'this.#waiters.shift()?.();',
    replace: 'this.#waiters.shift();',
  },
];
