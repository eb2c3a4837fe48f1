import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Clock } from '../../firmware-protocol/clock.js';
import type { Direction } from '../../firmware-protocol/message-table.js';
import type { Port } from '../../firmware-protocol/port.js';
import { PROTOCOL_MAJOR, PROTOCOL_MINOR, TABLE_HASH } from '../../firmware-protocol/version.js';
import { SYSTEM_CLOCK } from '../driver/system-clock.js';
import { ThermolinkError } from '../errors.js';
import type { WritePart } from '../files/replace-file.js';
import { beginMcapFile } from './mcap-file.js';
import { LocalRecording } from './record/local-recording.js';
import { bytesTag, NOTE_TAG, type Note, packNote, type RecordingFailure } from './record/recording.js';
import { ThreadedRecording } from './record/recording-thread.js';
import { checkSampleDetail, type SampleDetail } from './sample-detail.js';
import { TappedPort } from './tapped-port.js';

/**
 * Largest number of ports (reconnects, clients) of a recording. Each port takes two channels of the file.
 * With one more port the recording ends.
 */
export const CONNECTIONS_RECORDED_MAX = 10_000;

/** A file that is attached to a recording. */
export interface RecordedFile {
  /** A plain file name, such as `calibration.json`. */
  readonly name: string;
  /** Media type, for example `application/json`. */
  readonly mediaType: string;
  /** Content, at most 16 MiB. Readers refuse longer files. */
  readonly data: Uint8Array | string;
}

/** Options of a recording. */
export interface RecordOptions {
  /** Path of the file. It must not exist. */
  readonly file: string;
  /** Whether messages are also written as JSON. Default true. */
  readonly messages?: boolean;
  /** Content of the JSON of a sample block beside its header. The raw bytes always hold all samples. */
  readonly samples?: SampleDetail;
  /** Further files that belong to the session, for example the calibration that the program uses. */
  readonly attachments?: readonly RecordedFile[];
  /** Called once when the recording ends early, for example on a full disk. The experiment continues. */
  readonly onWarning?: (error: ThermolinkError) => void;
  /** Default: the clock of the host, with times of day. With a clock of the caller time begins at 0. */
  readonly clock?: Clock;
}

/** A recording that this thread or another one writes. */
type AnyRecording = Pick<LocalRecording, 'take' | 'close'>;

/**
 * Records the traffic of ports in an MCAP file (docs/reference/traces.md): the bytes of both directions, and
 * their messages as JSON. It only listens. A separate thread decodes and writes, unless the caller gives a
 * clock or there is only one processor. If writing fails, the recording ends with a warning, and the ports
 * continue to work. Errors: BAD_FILE and BAD_ARGUMENT from the constructor.
 */
export class Recorder {
  readonly file: string;
  readonly #clock: Clock;
  readonly #clockStartMs: number;
  readonly #recording: AnyRecording;
  readonly #onWarning: (error: ThermolinkError) => void;
  #connections = 0;
  #ended = false;

  constructor(
    {
      file,
      messages = true,
      samples = {},
      attachments = [],
      onWarning = () => undefined,
      clock,
    }: RecordOptions,
    {
      write,
      inThread = availableParallelism() > 1 && !clock && !write,
    }: {
      /** Replaces the write function of the system, for tests. */
      readonly write?: WritePart;
      /** Whether another thread writes. */
      readonly inThread?: boolean | { readonly ringBytes?: number; readonly startWaitMs?: number };
    } = {},
  ) {
    checkSampleDetail(samples);
    this.file = file;
    this.#onWarning = onWarning;
    this.#clock = clock ?? SYSTEM_CLOCK;
    this.#clockStartMs = this.#clock.nowMs();
    const settings = {
      descriptor: beginMcapFile(file),
      samples: messages ? samples : undefined,
      startNs: clock ? 0n : BigInt(Date.now()) * 1_000_000n,
    };
    const onFailure = (failure: RecordingFailure): void => this.#failed(failure);
    this.#recording = inThread
      ? new ThreadedRecording(settings, onFailure, inThread === true ? {} : inThread)
      : new LocalRecording(settings, this.#clock, onFailure, write);
    this.addMetadata('thermolink', {
      format: '1',
      protocol: `${PROTOCOL_MAJOR}.${PROTOCOL_MINOR}`,
      tableHash: Buffer.from(TABLE_HASH).toString('hex'),
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
    });
    for (const { name, mediaType, data } of attachments) this.attach(name, mediaType, data);
  }

  /** Whether the recording has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * A port that passes everything to `port` and is recorded. `side` tells whether the port belongs to the
   * host (its writes go to the device) or to the device.
   */
  tap(port: Port, side: 'host' | 'device' = 'host'): Port {
    if (this.#ended) return port;
    if (this.#connections >= CONNECTIONS_RECORDED_MAX) {
      this.#note({ kind: 'stop', reason: `more than ${CONNECTIONS_RECORDED_MAX} ports were opened` });
      return port;
    }
    const connection = ++this.#connections;
    this.#note({ kind: 'connection', connection, port: port.name, side });
    const [written, received]: Direction[] =
      side === 'host' ? ['toDevice', 'toHost'] : ['toHost', 'toDevice'];
    const [writtenTag, receivedTag] = [
      bytesTag(written, connection, true),
      bytesTag(received, connection, false),
    ];
    return new TappedPort(port, {
      wrote: (bytes) => this.#take(writtenTag, bytes),
      received: (bytes) => this.#take(receivedTag, bytes),
      closed: () => this.#note({ kind: 'portClosed' }),
    });
  }

  /** Writes facts about the session. Errors: none; a failure ends the recording with a warning. */
  addMetadata(name: string, facts: Readonly<Record<string, string>>): void {
    this.#note({ kind: 'metadata', name, facts });
  }

  /** Attaches a file: a profile, a calibration. Errors: none. */
  attach(name: string, mediaType: string, data: Uint8Array | string): void {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    this.#note({ kind: 'attachment', name, mediaType }, bytes);
  }

  /** Writes the remaining data and the end of the file. Errors: none; a failure gives a warning. */
  async close(): Promise<void> {
    await this.#recording.close();
    this.#ended = true;
  }

  /**
   * Ends the recording of a device that could not be opened. If no port was opened, the file is removed,
   * because it holds no data. The next attempt can then use the same name. Errors: none.
   *
   * @internal
   */
  async abandon(): Promise<void> {
    await this.close();
    // If the file cannot be removed, it stays as a recording without messages.
    if (this.#connections === 0) await rm(this.file, { force: true }).catch(() => undefined);
  }

  #note(note: Note, data?: Uint8Array): void {
    this.#take(NOTE_TAG, packNote(note, data));
  }

  #take(tag: number, bytes: Uint8Array): void {
    if (this.#ended || bytes.length === 0) return;
    const elapsedNs = Math.round((this.#clock.nowMs() - this.#clockStartMs) * 1e6);
    this.#recording.take(tag, elapsedNs, bytes);
  }

  #failed({ reason, cause, fileBytes }: RecordingFailure): void {
    this.#ended = true;
    this.#onWarning(
      new ThermolinkError('BAD_FILE', `The recording ${this.file} ends here: ${reason}.`, {
        cause,
        hint: 'The data before this point are readable. Make room for the next recording.',
        data: { file: this.file, ...(fileBytes === undefined ? {} : { bytes: fileBytes }) },
      }),
    );
  }
}
