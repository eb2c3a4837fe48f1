/** Entries begin at multiples of this. The end of the ring therefore never cuts the head of an entry. */
const UNIT_BYTES = 16;
/** A waiting writer continues when this share of the ring is free. It then waits less often. */
const ROOM_SHARE = 1 / 4;
/** Time for which the reader lets entries gather, ms. Each wake-up costs the writer some µs. */
const GATHER_MS = 10;
/**
 * If this number of bytes waits, the reader no longer lets entries gather. The ring then still has room while
 * the reader waits for a processor.
 */
const GATHER_BYTES = 1024 * 1024;

/** Shorter pieces are copied by `set`, whose call takes less time than that of `fill`. */
const FILL_BYTES_MIN = 256;

/** Indices of the control words. Positions count units since the beginning, modulo 2³². */
const WRITTEN = 0;
const READ = 1;
const READER = 2;
const REST = 3;
const ROOM_WANTED = 4;
const ENDING = 5;
const DONE = 6;
/** The position that lies at the beginning of the memory. */
const ORIGIN = 7;
const CONTROL_WORDS = 8;

/** States of the reader. */
const AWAKE = 0;
const ASLEEP = 1;
const GATHERING = 2;

/** The reader of a ring: not decided yet, another thread, or the thread of the writer. It is decided once. */
const RING_READER = { none: 0, thread: 1, writer: 2 } as const;

/** The memory of a ring. It can be passed to a thread. */
export interface RingMemory {
  readonly control: SharedArrayBuffer;
  readonly data: SharedArrayBuffer;
}

/**
 * A queue of entries in the shared memory of two threads: one writes, the other reads. Neither allocates
 * memory for an entry, but the buffer of the reader grows with the longest entry. An entry is a tag, a time,
 * and bytes of any length; an entry longer than the ring passes in pieces.
 */
export class EntryRing {
  readonly memory: RingMemory;
  readonly #control: Int32Array;
  readonly #bytes: Buffer;
  readonly #words: Uint32Array;
  readonly #times: Float64Array;
  readonly #units: number;
  /** Buffer for the bytes of the entry that is being read. */
  #entry = Buffer.alloc(128 * 1024);

  constructor(memory: RingMemory) {
    this.memory = memory;
    this.#control = new Int32Array(memory.control);
    this.#bytes = Buffer.from(memory.data);
    this.#words = new Uint32Array(memory.data);
    this.#times = new Float64Array(memory.data);
    this.#units = memory.data.byteLength / UNIT_BYTES;
  }

  /** Makes a ring of `bytes` bytes, a power of two. */
  static ofBytes(bytes: number): EntryRing {
    return new EntryRing({
      control: new SharedArrayBuffer(4 * CONTROL_WORDS),
      data: new SharedArrayBuffer(bytes),
    });
  }

  /** Bytes that wait for the reader. */
  get waitingBytes(): number {
    return this.#waitingUnits() * UNIT_BYTES;
  }

  /** Whether the reader is decided. */
  get hasReader(): boolean {
    return Atomics.load(this.#control, READER) !== RING_READER.none;
  }

  /** Decides the reader, if it is not decided yet. Returns whether it is `reader`. */
  claim(reader: 'thread' | 'writer'): boolean {
    const was = Atomics.compareExchange(this.#control, READER, RING_READER.none, RING_READER[reader]);
    return was === RING_READER.none || was === RING_READER[reader];
  }

  /**
   * Appends an entry. This thread waits while the ring is full. Returns false if the reader took nothing for
   * `stallMs`, or if no reader was decided for `readerMs`. The entry is then incomplete, and nothing may be
   * appended after it.
   */
  put(tag: number, time: number, bytes: Uint8Array, stallMs: number, readerMs = stallMs): boolean {
    let at = Atomics.load(this.#control, WRITTEN);
    // An empty ring continues at the beginning of its memory. While the reader keeps up, only this part is
    // used, and it stays in the cache of the processor. The reader needs the origin only if an entry waits.
    if (at === Atomics.load(this.#control, READ)) Atomics.store(this.#control, ORIGIN, at);
    if (!this.#waitForRoom(1, stallMs, readerMs)) return false;
    const unit = this.#unit(at);
    this.#words[unit * 4] = bytes.length;
    this.#words[unit * 4 + 1] = tag;
    this.#times[unit * 2 + 1] = time;
    at++;
    for (let sent = 0; sent < bytes.length; ) {
      const free = this.#units - ((at - Atomics.load(this.#control, READ)) >>> 0);
      if (free === 0) {
        this.#publish(at);
        const units = Math.ceil((bytes.length - sent) / UNIT_BYTES);
        if (!this.#waitForRoom(units, stallMs, readerMs)) return false;
        continue;
      }
      const from = this.#unit(at);
      const piece = Math.min(bytes.length - sent, Math.min(free, this.#units - from) * UNIT_BYTES);
      copyBytes(this.#bytes, from * UNIT_BYTES, bytes, sent, piece);
      sent += piece;
      at += Math.ceil(piece / UNIT_BYTES);
    }
    this.#publish(at);
    return true;
  }

  /** Marks the end of the entries, and wakes the reader. */
  end(): void {
    Atomics.store(this.#control, ENDING, 1);
    this.#wake();
  }

  /** Waits until the reader has called `done`, for at most `timeoutMs`. Returns whether it has. */
  waitUntilDone(timeoutMs: number): boolean {
    Atomics.wait(this.#control, DONE, 0, timeoutMs);
    return Atomics.load(this.#control, DONE) === 1;
  }

  /**
   * For the reader: calls `take` for each waiting entry. The bytes are valid only during the call. Returns
   * false if the writer has ended and no entry is left.
   */
  drain(take: (tag: number, time: number, bytes: Uint8Array) => void): boolean {
    while (this.#waitingUnits() > 0) {
      const at = Atomics.load(this.#control, READ);
      const unit = this.#unit(at);
      const [length, tag, time] = [
        this.#words[unit * 4],
        this.#words[unit * 4 + 1],
        this.#times[unit * 2 + 1],
      ];
      if (length > this.#entry.length) this.#entry = Buffer.alloc(2 * length);
      this.#release(at + 1);
      if (!this.#collect(length)) return false;
      take(tag, time, new Uint8Array(this.#entry.buffer, this.#entry.byteOffset, length));
    }
    return Atomics.load(this.#control, ENDING) === 0 || this.#waitingUnits() > 0;
  }

  /**
   * For the reader: waits until entries have arrived and gathered, or until the writer has ended; at most
   * `timeoutMs`.
   */
  rest(timeoutMs: number): void {
    // During a stream the next entries arrive soon. They need not wake the reader one by one.
    this.#gather(Math.min(timeoutMs, GATHER_MS));
    if (this.#hasNothing()) {
      Atomics.store(this.#control, REST, ASLEEP);
      if (this.#hasNothing()) Atomics.wait(this.#control, REST, ASLEEP, timeoutMs);
      this.#gather(GATHER_MS);
    }
    Atomics.store(this.#control, REST, AWAKE);
  }

  #gather(timeoutMs: number): void {
    Atomics.store(this.#control, REST, GATHERING);
    if (this.#mayGather()) Atomics.wait(this.#control, REST, GATHERING, timeoutMs);
  }

  /** For the reader: tells the writer that all entries are written, or that no more will be written. */
  done(): void {
    Atomics.store(this.#control, DONE, 1);
    Atomics.notify(this.#control, DONE);
  }

  #unit(position: number): number {
    return ((position - Atomics.load(this.#control, ORIGIN)) >>> 0) % this.#units;
  }

  #waitingUnits(): number {
    return (Atomics.load(this.#control, WRITTEN) - Atomics.load(this.#control, READ)) >>> 0;
  }

  #hasNothing(): boolean {
    return this.#waitingUnits() === 0 && Atomics.load(this.#control, ENDING) === 0;
  }

  #mayGather(): boolean {
    const waitsMost = Math.min(this.#units / 2, GATHER_BYTES / UNIT_BYTES);
    return this.#waitingUnits() < waitsMost && Atomics.load(this.#control, ENDING) === 0;
  }

  /** Makes all bytes before `at` visible to the reader, and wakes the reader if it sleeps. */
  #publish(at: number): void {
    Atomics.store(this.#control, WRITTEN, at);
    const rest = Atomics.load(this.#control, REST);
    if (rest === ASLEEP || (rest === GATHERING && !this.#mayGather())) this.#wake();
  }

  #wake(): void {
    Atomics.store(this.#control, REST, AWAKE);
    Atomics.notify(this.#control, REST);
  }

  /**
   * If fewer than `units` units are free, waits until ROOM_SHARE of the ring or `units` are free, whichever
   * is more.
   */
  #waitForRoom(units: number, stallMs: number, readerMs: number): boolean {
    const free = (): number => this.#units - this.#waitingUnits();
    if (free() >= Math.min(units, this.#units)) return true;
    const wanted = Math.max(Math.min(units, this.#units), this.#units * ROOM_SHARE);
    for (;;) {
      const [read, hadReader] = [Atomics.load(this.#control, READ), this.hasReader];
      Atomics.store(this.#control, ROOM_WANTED, wanted);
      if (free() < wanted) {
        this.#wake();
        Atomics.wait(this.#control, ROOM_WANTED, wanted, hadReader ? stallMs : readerMs);
      }
      Atomics.store(this.#control, ROOM_WANTED, 0);
      if (free() >= wanted) return true;
      // If the reader was decided during the wait, the writer waits for this reader once more.
      if (Atomics.load(this.#control, READ) === read && this.hasReader === hadReader) return false;
    }
  }

  /** Returns memory to the writer, which may be waiting for it. */
  #release(at: number): void {
    Atomics.store(this.#control, READ, at);
    const wanted = Atomics.load(this.#control, ROOM_WANTED);
    if (wanted === 0 || this.#units - this.#waitingUnits() < wanted) return;
    Atomics.store(this.#control, ROOM_WANTED, 0);
    Atomics.notify(this.#control, ROOM_WANTED);
  }

  /** Copies the bytes of an entry. Returns false if the writer ended within the entry. */
  #collect(length: number): boolean {
    for (let taken = 0; taken < length; ) {
      const waiting = this.#waitingUnits();
      if (waiting === 0) {
        if (Atomics.load(this.#control, ENDING) === 1 && this.#waitingUnits() === 0) return false;
        this.rest(Infinity);
        continue;
      }
      const at = Atomics.load(this.#control, READ);
      const from = this.#unit(at);
      const units = Math.min(waiting, this.#units - from);
      const piece = Math.min(length - taken, units * UNIT_BYTES);
      copyBytes(this.#entry, taken, this.#bytes, from * UNIT_BYTES, piece);
      taken += piece;
      this.#release(at + Math.ceil(piece / UNIT_BYTES));
    }
    return true;
  }
}

/**
 * Copies `length` bytes of `source` from `start` to `target` at `at`. In shared memory `set` and
 * `Buffer.copy` copy word by word, or byte by byte if source and target differ modulo 8. `fill` with bytes of
 * this length is one memcpy, which is 2 to 20 times faster
 * (docs/decisions/0120-a-recording-is-copied-by-memcpy.md).
 */
function copyBytes(target: Buffer, at: number, source: Uint8Array, start: number, length: number): void {
  const piece = length === source.length ? source : source.subarray(start, start + length);
  if (length < FILL_BYTES_MIN) target.set(piece, at);
  else target.fill(piece, at, at + length);
}
