import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { SYSTEM_CLOCK } from '../../driver/system-clock.js';
import { EntryRing, type RingMemory } from './entry-ring.js';
import { LocalRecording } from './local-recording.js';
import type { RecordingFailure, RecordingSettings } from './recording.js';

/** What waits for the thread at most. */
const RING_BYTES = 16 * 1024 * 1024;
/** A shorter session is written at its end, because starting a thread takes longer than all of it. */
const START_MS = 200;
/** The thread starts earlier when so much waits. */
const START_BYTES = 256 * 1024;
/** The experiment waits at most so long for a disk that takes nothing. Then the recording ends. */
const STALL_MS = 1000;
/** The same while the thread is starting. Then this thread writes instead. */
const START_WAIT_MS = 250;
/** A thread that takes longer to start is not waited for: what has come would lie in memory for too long. */
const START_LIMIT_MS = 500;
/** How long the end of the process waits for what is not written yet. */
const EXIT_MS = 2000;
/** How long `close` waits for the disk. */
const CLOSE_MS = 30_000;

/**
 * The compiled program, also when a test runs the sources, because Node starts a thread from JavaScript only.
 */
const ENTRY = new URL(
  import.meta.url.endsWith('.ts')
    ? '../../../dist/src/traces/record/recording-thread-main.js'
    : 'recording-thread-main.js',
  import.meta.url,
);

/** The data that the thread gets. */
export interface RecordingThreadData {
  readonly settings: RecordingSettings;
  readonly memory: RingMemory;
  /** Where it tells that all is written, or why nothing more will be. */
  readonly port: MessagePort;
}

export type ToldByThread = 'done' | Pick<RecordingFailure, 'reason' | 'fileBytes'>;

/** What tests choose. */
export interface ThreadLimits {
  /** What waits for the thread at most: a power of two, at least 512 KiB. */
  readonly ringBytes?: number;
  /** How long the start of the thread is waited for. */
  readonly startWaitMs?: number;
}

/** The recordings that are not closed. The end of the process waits for them, together `EXIT_MS` at most. */
const unclosed = new Set<ThreadedRecording>();
const finishAtExit = (): void => {
  const endMs = performance.now() + EXIT_MS;
  for (const recording of unclosed) recording.endAtExit();
  for (const recording of unclosed) recording.waitAtExit(Math.max(0, endMs - performance.now()));
};

/**
 * A recording that another thread writes. This one copies the entries into a ring. The other starts when the
 * session has lasted for `START_MS` or is long; until then the entries wait. Where it does not start, this
 * thread writes. Errors: none; what fails ends the recording, and is told once.
 */
export class ThreadedRecording {
  readonly #settings: RecordingSettings;
  readonly #onFailure: (failure: RecordingFailure) => void;
  readonly #ring: EntryRing;
  readonly #startWaitMs: number;
  /** Starts the thread, and then ends waiting for it. */
  #timer: NodeJS.Timeout;
  #firstNs: number | undefined;
  /** Where the thread tells how it fares, once it has been started. */
  #port: MessagePort | undefined;
  /** In place of the thread. */
  #local: LocalRecording | undefined;
  #ended = false;
  /** Called when the thread has told that all is written, or has ended. */
  #onDone: () => void = () => undefined;

  constructor(
    settings: RecordingSettings,
    onFailure: (failure: RecordingFailure) => void,
    { ringBytes = RING_BYTES, startWaitMs = START_WAIT_MS }: ThreadLimits = {},
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

  /** Takes an entry (`Recording.take`). While the ring is full this thread waits. */
  take(tag: number, elapsedNs: number, bytes: Uint8Array): void {
    if (this.#ended) return;
    if (!this.#local && !this.#port) this.#startWhenDue(elapsedNs, bytes.length);
    if (!this.#local) {
      if (this.#ring.put(tag, elapsedNs, bytes, this.#ring.hasReader ? STALL_MS : this.#startWaitMs)) return;
      if (!this.#takeOver()) {
        this.#ring.end();
        this.#fail({ reason: `nothing could be written for ${STALL_MS / 1000} s` });
        return;
      }
    }
    this.#local!.take(tag, elapsedNs, bytes);
  }

  /** Writes what is left and the end of the file. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    if (!this.#ended && this.#takeOver()) this.#local!.finish();
    else if (!this.#ended && !(await this.#threadDone()))
      this.#fail({ reason: `its end could not be written for ${CLOSE_MS / 1000} s` });
    this.#forget();
  }

  /** At the end of the process, while nothing but this call runs: lets the thread write what is left. */
  endAtExit(): void {
    if (this.#takeOver()) this.#local!.finish();
    else this.#ring.end();
  }

  waitAtExit(timeoutMs: number): void {
    if (this.#local || this.#ended) return;
    const isDone = this.#ring.waitUntilDone(timeoutMs);
    for (let told = this.#told(); told !== undefined; told = this.#told()) this.#hear(told);
    if (!isDone) this.#fail({ reason: 'the process ended before all was written' });
  }

  #told(): ToldByThread | undefined {
    return this.#port && receiveMessageOnPort(this.#port)?.message;
  }

  #startWhenDue(elapsedNs: number, bytes: number): void {
    this.#firstNs ??= elapsedNs;
    const hasLasted = elapsedNs - this.#firstNs >= START_MS * 1e6;
    if (hasLasted || this.#ring.waitingBytes + bytes >= START_BYTES) this.#start();
  }

  #start(): void {
    if (this.#port || this.#local || this.#ended) return;
    clearTimeout(this.#timer);
    const { port1: port, port2 } = new MessageChannel();
    const data: RecordingThreadData = { settings: this.#settings, memory: this.#ring.memory, port: port2 };
    try {
      const worker = new Worker(ENTRY, {
        workerData: data,
        transferList: [port2],
        // The file was opened by this thread.
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
      this.#timer = setTimeout(() => this.#takeOver(), Math.max(START_LIMIT_MS, this.#startWaitMs));
      this.#timer.unref();
    } catch {
      // A process may be forbidden to start threads.
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
      this.#fail({ reason: `its thread ended: ${error?.message ?? 'no reason was told'}`, cause: error });
    this.#onDone();
  }

  /** Writes in this thread, if the other one has not begun. Returns whether this thread writes. */
  #takeOver(): boolean {
    if (this.#local) return true;
    if (!this.#ring.claim('writer')) return false;
    const local = new LocalRecording(this.#settings, SYSTEM_CLOCK, (failure) => this.#fail(failure));
    this.#local = local;
    this.#ring.end();
    this.#ring.drain((tag, elapsedNs, bytes) => local.take(tag, elapsedNs, bytes));
    // What has waited for the thread must not wait longer.
    local.writeNow();
    return true;
  }

  /** Lets the thread write what is left. Resolves to whether it has, at most after `CLOSE_MS`. */
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
