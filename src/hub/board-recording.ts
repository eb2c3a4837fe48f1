import { mkdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Port } from '../../firmware-protocol/port.js';
import { Recorder } from '../traces/recorder.js';
import { TappedPort } from '../traces/tapped-port.js';
import { EventPort } from '../transport/event-port.js';
import type { RecordingView } from './api.js';

/** A recording ends by itself when it has this number of bytes. */
export const RECORDING_BYTES_MAX = 2 ** 31;

/** A port without a board. Bytes in both directions are only recorded. */
class RecordedEnd extends EventPort implements Port {
  readonly name: string;
  readonly frameBytesMax = 65_536;

  constructor(name: string) {
    super();
    this.name = name;
  }

  /** Delivers these bytes as if a board had sent them. */
  say(bytes: Uint8Array): void {
    this.events.data(bytes);
  }

  write(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.events.end();
    return Promise.resolve();
  }
}

interface Going {
  readonly recorder: Recorder;
  readonly file: string;
  readonly end: RecordedEnd;
  readonly port: Port;
  readonly sinceMs: number;
}

/**
 * Records the bytes of a board's port while recording is switched on. It keeps the recording that ended last,
 * or all recordings (`keepAll`).
 */
export class BoardRecording {
  readonly #board: string;
  readonly #directory: string;
  readonly #changed: () => void;
  #going: Going | undefined;
  #ended: string | undefined;
  #bytes = 0;
  #count = 0;
  #problem: string | null = null;
  #keepsAll = false;

  /** Files go into `directory`, which is created when it is needed. */
  constructor(board: string, directory: string, changed: () => void) {
    this.#board = board;
    this.#directory = directory;
    this.#changed = changed;
  }

  /** From now on no recording is removed, because the directory belongs to the user and not to the server. */
  keepAll(): void {
    this.#keepsAll = true;
  }

  get view(): RecordingView {
    return {
      on: this.#going !== undefined,
      sinceMs: this.#going?.sinceMs ?? null,
      bytes: this.#bytes,
      hasTrace: this.#ended !== undefined,
      problem: this.#problem,
    };
  }

  /** The file that ended last. */
  get file(): string | undefined {
    return this.#ended;
  }

  /** A port that passes all bytes on, and records them while a recording is on. */
  tap(port: Port): Port {
    return new TappedPort(port, {
      wrote: (bytes) => this.#take(bytes, (going) => void going.port.write(bytes)),
      received: (bytes) => this.#take(bytes, (going) => going.end.say(bytes)),
      closed: () => undefined,
    });
  }

  /** Begins a recording if no recording is on. Errors: BAD_FILE. */
  async begin(uri: string): Promise<void> {
    if (this.#going !== undefined) return;
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    // Another call may have begun a recording meanwhile.
    if (this.#going !== undefined) return;
    const sinceMs = Date.now();
    const stamp = new Date(sinceMs).toISOString().replace(/[:.]/g, '-');
    const file = path.join(this.#directory, `${this.#board}-${stamp}-${++this.#count}.mcap`);
    const recorder = new Recorder({ file, onWarning: ({ message }) => this.#fail(message) });
    recorder.addMetadata('device', { uri });
    const end = new RecordedEnd(uri);
    const port = recorder.tap(end);
    port.onData(() => undefined);
    this.#bytes = 0;
    this.#problem = null;
    this.#going = { recorder, file, end, port, sinceMs };
    this.#changed();
  }

  /** Ends the recording. From now on `file` names its file. Errors: none. */
  async end(): Promise<void> {
    const going = this.#going;
    if (going === undefined) return;
    this.#going = undefined;
    await going.port.close();
    await going.recorder.close();
    const before = this.#ended;
    this.#ended = await stat(going.file).then(
      () => going.file,
      () => undefined,
    );
    if (before !== undefined && !this.#keepsAll) await rm(before, { force: true }).catch(() => undefined);
    this.#changed();
  }

  #take(bytes: Uint8Array, record: (going: Going) => void): void {
    if (this.#going === undefined) return;
    this.#bytes += bytes.length;
    record(this.#going);
    if (this.#bytes > RECORDING_BYTES_MAX) this.#fail(`It reached ${RECORDING_BYTES_MAX} bytes.`);
  }

  #fail(problem: string): void {
    this.#problem = problem;
    void this.end();
  }
}
