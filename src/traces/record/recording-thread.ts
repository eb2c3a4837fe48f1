import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { SYSTEM_CLOCK } from '../../driver/system-clock.js';
import { EntryRing, type RingMemory } from './entry-ring.js';
import { LocalRecording } from './local-recording.js';
import type { RecordingFailure, RecordingSettings } from './recording.js';
import { threadProgram } from './thread-program.js';

/** Largest number of bytes that may wait for the thread. */
const RING_BYTES = 16 * 1024 * 1024;
/**
 * Length of a session at which the thread starts. A shorter session is written at its end, because the start
 * of a thread takes longer than the whole session.
 */
const START_MS = 200;
/** The thread starts earlier if this number of bytes waits. */
const START_BYTES = 256 * 1024;
/**
 * Longest wait of the experiment (the program that is recorded) for a disk that accepts no data. After this
 * time the recording ends.
 */
const STALL_MS = 1000;
/**
 * Longest time from the first entry until the recording thread reads. After this time the thread of the
 * experiment writes the file itself, because no entry may stay in memory for a second. If the ring is full
 * earlier, the experiment waits until this time is over. The recording thread is not started again. The
 * experiment then keeps three quarters of its rate until the end of the session
 * (docs/decisions/0124-recording-keeps-the-rate-of-a-line.md).
 */
const START_LIMIT_MS = 700;
/** Longest wait at the end of the process for entries that are not written yet. */
const EXIT_MS = 2000;
/** Longest wait of `close` for the disk. */
const CLOSE_MS = 30_000;

/** The data for the thread. */
export interface RecordingThreadData {
  readonly settings: RecordingSettings;
  readonly memory: RingMemory;
  /** Port on which the thread tells that all entries are written, or why it stops. */
  readonly port: MessagePort;
}

export type ToldByThread = 'done' | Pick<RecordingFailure, 'reason' | 'fileBytes'>;

/** Limits that tests may change. */
export interface ThreadLimits {
  /** Largest number of bytes that may wait for the thread: a power of two, at least 512 KiB. */
  readonly ringBytes?: number;
  /** Longest time from the first entry until the thread reads. */
  readonly startWaitMs?: number;
}

/**
 * The recordings that are not closed. The end of the process waits for them, at most `EXIT_MS` for all
 * together.
 */
const unclosed = new Set<ThreadedRecording>();
const finishAtExit = (): void => {
  const endMs = performance.now() + EXIT_MS;
  for (const recording of unclosed) recording.endAtExit();
  for (const recording of unclosed) recording.waitAtExit(Math.max(0, endMs - performance.now()));
};

/**
 * A recording that another thread writes. The calling thread copies the entries into a ring. The other thread
 * starts after `START_MS`, or earlier if `START_BYTES` wait; until then the entries stay in the ring. If it
 * does not start, the calling thread writes. Errors: none; a failure ends the recording, and is reported
 * once.
 */
export class ThreadedRecording {
  readonly #settings: RecordingSettings;
  readonly #onFailure: (failure: RecordingFailure) => void;
  readonly #ring: EntryRing;
  readonly #startWaitMs: number;
  /** First the timer that starts the thread, then the deadline of its start. */
  #timer: NodeJS.Timeout;
  /** Time of the first entry, in ms of `performance.now`. */
  #firstMs: number | undefined;
  /** Port on which the thread reports; undefined before it is started. */
  #port: MessagePort | undefined;
  /** The recording that writes instead of the thread. */
  #local: LocalRecording | undefined;
  #ended = false;
  /** Called when the thread has reported that all is written, or has ended. */
  #onDone: () => void = () => undefined;

  constructor(
    settings: RecordingSettings,
    onFailure: (failure: RecordingFailure) => void,
    { ringBytes = RING_BYTES, startWaitMs = START_LIMIT_MS }: ThreadLimits = {},
  ) {
    this.#settings = settings;
    this.#onFailure = onFailure;
    this.#ring = EntryRing.ofBytes(ringBytes);
    this.#startWaitMs = startWaitMs;
    this.#timer = setTimeout(() => this.#start(), START_MS);
    this.#timer.unref();
    if (unclosed.size === 0) process.on('exit', finishAtExit);
    unclosed.add(this);
  }

  /** Takes an entry (`Recording.take`). This thread waits while the ring is full. */
  take(tag: number, elapsedNs: number, bytes: Uint8Array): void {
    if (this.#ended) return;
    if (!this.#local && !this.#port) this.#startWhenDue(bytes.length);
    if (!this.#local) {
      if (this.#ring.put(tag, elapsedNs, bytes, STALL_MS, this.#leftToStartMs())) return;
      if (!this.#takeOver()) {
        this.#ring.end();
        this.#fail({ reason: `nothing could be written for ${STALL_MS / 1000} s` });
        return;
      }
    }
    this.#local!.take(tag, elapsedNs, bytes);
  }

  /** Writes the remaining entries and the end of the file. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    if (!this.#ended && this.#takeOver()) this.#local!.finish();
    else if (!this.#ended && !(await this.#threadDone()))
      this.#fail({ reason: `its end could not be written for ${CLOSE_MS / 1000} s` });
    this.#forget();
  }

  /**
   * Lets the thread write the remaining entries. It is called at the end of the process, when no other code
   * of this thread can run.
   */
  endAtExit(): void {
    if (this.#takeOver()) this.#local!.finish();
    else this.#ring.end();
  }

  waitAtExit(timeoutMs: number): void {
    if (this.#local || this.#ended) return;
    const isDone = this.#ring.waitUntilDone(timeoutMs);
    for (let told = this.#told(); told !== undefined; told = this.#told()) this.#hear(told);
    if (!isDone) this.#fail({ reason: 'the process ended before all data were written' });
  }

  #told(): ToldByThread | undefined {
    return this.#port && receiveMessageOnPort(this.#port)?.message;
  }

  /** The time that is left for the start of the thread. */
  #leftToStartMs(): number {
    return Math.max(0, (this.#firstMs ?? performance.now()) + this.#startWaitMs - performance.now());
  }

  #startWhenDue(bytes: number): void {
    this.#firstMs ??= performance.now();
    const hasLasted = performance.now() - this.#firstMs >= START_MS;
    if (hasLasted || this.#ring.waitingBytes + bytes >= START_BYTES) this.#start();
  }

  #start(): void {
    if (this.#port || this.#local || this.#ended) return;
    clearTimeout(this.#timer);
    const { port1: port, port2 } = new MessageChannel();
    const data: RecordingThreadData = { settings: this.#settings, memory: this.#ring.memory, port: port2 };
    try {
      const worker = new Worker(threadProgram(), {
        workerData: data,
        transferList: [port2],
        // The new thread closes a file that this thread opened. If Node tracked files, it would warn about
        // this.
        trackUnmanagedFds: false,
        // The thread must not inherit this process's options (--input-type, --inspect-brk …).
        execArgv: [],
      });
      this.#port = port;
      port.on('message', (told: ToldByThread) => this.#hear(told));
      port.unref();
      worker.on('error', (error) => this.#threadEnded(error));
      worker.on('exit', () => this.#threadEnded());
      worker.unref();
      this.#timer = setTimeout(() => this.#takeOver(), this.#leftToStartMs());
      this.#timer.unref();
    } catch {
      // The system may not allow the process to start threads.
      port.close();
      this.#takeOver();
    }
  }

  #hear(told: ToldByThread): void {
    if (told !== 'done') this.#fail(told);
    this.#onDone();
  }

  #threadEnded(error?: Error): void {
    const isWritten = this.#ring.waitUntilDone(0);
    if (!this.#ended && !isWritten && !this.#takeOver())
      this.#fail({ reason: `its thread ended: ${error?.message ?? 'no reason is known'}`, cause: error });
    this.#onDone();
  }

  /**
   * If the other thread has not begun to read, this thread writes from now on. Returns whether this thread
   * writes.
   */
  #takeOver(): boolean {
    if (this.#local) return true;
    if (!this.#ring.claim('writer')) return false;
    const local = new LocalRecording(this.#settings, SYSTEM_CLOCK, (failure) => this.#fail(failure));
    this.#local = local;
    this.#ring.end();
    this.#ring.drain((tag, elapsedNs, bytes) => local.take(tag, elapsedNs, bytes));
    // Entries that waited for the thread are written at once.
    local.writeNow();
    return true;
  }

  /**
   * Lets the thread write the remaining entries. Resolves, at most after `CLOSE_MS`, to whether it has
   * written them.
   */
  async #threadDone(): Promise<boolean> {
    const port = this.#port!;
    port.ref();
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), CLOSE_MS);
    });
    const done = new Promise<true>((resolve) => {
      this.#onDone = () => resolve(true);
    });
    this.#ring.end();
    const isDone = await Promise.race([done, deadline]);
    clearTimeout(timer);
    port.unref();
    return isDone;
  }

  #fail(failure: RecordingFailure): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#ring.end();
    this.#onFailure(failure);
  }

  #forget(): void {
    this.#ended = true;
    unclosed.delete(this);
    if (unclosed.size === 0) process.off('exit', finishAtExit);
  }
}
