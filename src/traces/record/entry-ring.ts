/** Entries begin at multiples of this, so that the head of none is cut by the end of the ring. */
const UNIT_BYTES = 16;
/** A waiting writer goes on when so large a part of the ring is free, so that it waits seldom. */
const ROOM_SHARE = 1 / 4;
/** The reader lets entries gather for so long, because waking it costs the writer some µs. */
const GATHER_MS = 10;
/** Then so many bytes are read at once, and the ring has room while the reader waits for a processor. */
const GATHER_BYTES = 1024 * 1024;

/** Places in the control words. Positions count units since the beginning, modulo 2³². */
const WRITTEN = 0;
const READ = 1;
const READER = 2;
const REST = 3;
const ROOM_WANTED = 4;
const ENDING = 5;
const DONE = 6;
const CONTROL_WORDS = 8;

/** What the reader does. */
const AWAKE = 0;
const ASLEEP = 1;
const GATHERING = 2;

/** Who reads a ring: nobody yet, another thread, or the writer's own thread. It is settled once. */
const RING_READER = { none: 0, thread: 1, writer: 2 } as const;

/** The memory of a ring, which a thread can be given. */
export interface RingMemory {
  readonly control: SharedArrayBuffer;
  readonly data: SharedArrayBuffer;
}

/**
 * A queue of entries in memory that two threads share: one writes, the other reads. Neither allocates. An
 * entry is a tag, a time, and bytes of any length: what is longer than the ring passes in pieces.
 */
export class EntryRing {
  readonly memory: RingMemory;
  readonly #control: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #times: Float64Array;
  readonly #units: number;
  /** The bytes of an entry on their way to the reader. */
  #entry = new Uint8Array(128 * 1024);

  constructor(memory: RingMemory) {
    this.memory = memory;
    this.#control = new Int32Array(memory.control);
    this.#bytes = new Uint8Array(memory.data);
    this.#words = new Uint32Array(memory.data);
    this.#times = new Float64Array(memory.data);
    this.#units = memory.data.byteLength / UNIT_BYTES;
  }

  /** A ring of so many bytes, a power of two. */
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

  /** Whether it is settled who reads. */
  get hasReader(): boolean {
    return Atomics.load(this.#control, READER) !== RING_READER.none;
  }

  /** Settles who reads. Returns whether it is `reader`. */
  claim(reader: 'thread' | 'writer'): boolean {
    const was = Atomics.compareExchange(this.#control, READER, RING_READER.none, RING_READER[reader]);
    return was === RING_READER.none || was === RING_READER[reader];
  }

  /**
   * Appends an entry. While the ring is full this thread waits. Returns false when the reader took nothing
   * for `stallMs`; then the entry is not whole, and nothing may be appended after it.
   */
  put(tag: number, time: number, bytes: Uint8Array, stallMs: number): boolean {
    let at = Atomics.load(this.#control, WRITTEN);
    if (!this.#waitForRoom(1, stallMs)) return false;
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
        if (!this.#waitForRoom(units, stallMs)) return false;
        continue;
      }
      const from = this.#unit(at);
      const piece = Math.min(bytes.length - sent, Math.min(free, this.#units - from) * UNIT_BYTES);
      this.#bytes.set(piece === bytes.length ? bytes : bytes.subarray(sent, sent + piece), from * UNIT_BYTES);
      sent += piece;
      at += Math.ceil(piece / UNIT_BYTES);
    }
    this.#publish(at);
    return true;
  }

  /** Says that nothing more comes, and wakes the reader. */
  end(): void {
    Atomics.store(this.#control, ENDING, 1);
    this.#wake();
  }

  /** Waits until the reader has said `done`, at most `timeoutMs`. Returns whether it has. */
  waitUntilDone(timeoutMs: number): boolean {
    Atomics.wait(this.#control, DONE, 0, timeoutMs);
    return Atomics.load(this.#control, DONE) === 1;
  }

  /**
   * For the reader: hands over the entries that have come. The bytes are valid only during the call. Returns
   * false when the writer has ended and nothing is left.
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
      if (length > this.#entry.length) this.#entry = new Uint8Array(2 * length);
      this.#release(at + 1);
      if (!this.#collect(length)) return false;
      take(tag, time, this.#entry.subarray(0, length));
    }
    return Atomics.load(this.#control, ENDING) === 0 || this.#waitingUnits() > 0;
  }

  /**
   * For the reader: waits until entries have come and gathered, or the writer has ended; at most `timeoutMs`.
   */
  rest(timeoutMs: number): void {
    // In a stream the next entries come soon: they need not wake the reader one by one.
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

  /** For the reader: says that all is written, or that nothing more will be. */
  done(): void {
    Atomics.store(this.#control, DONE, 1);
    Atomics.notify(this.#control, DONE);
  }

  #unit(position: number): number {
    return (position >>> 0) % this.#units;
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

  /** Makes what was written up to `at` visible to the reader, and wakes it where that is needed. */
  #publish(at: number): void {
    Atomics.store(this.#control, WRITTEN, at);
    const rest = Atomics.load(this.#control, REST);
    if (rest === ASLEEP || (rest === GATHERING && !this.#mayGather())) this.#wake();
  }

  #wake(): void {
    Atomics.store(this.#control, REST, AWAKE);
    Atomics.notify(this.#control, REST);
  }

  /** Waits until a part of the ring is free if not even so many units are; the whole of it at most. */
  #waitForRoom(units: number, stallMs: number): boolean {
    const free = (): number => this.#units - this.#waitingUnits();
    if (free() >= Math.min(units, this.#units)) return true;
    const wanted = Math.max(Math.min(units, this.#units), this.#units * ROOM_SHARE);
    for (;;) {
      const read = Atomics.load(this.#control, READ);
      Atomics.store(this.#control, ROOM_WANTED, wanted);
      if (free() < wanted) {
        this.#wake();
        Atomics.wait(this.#control, ROOM_WANTED, wanted, stallMs);
      }
      Atomics.store(this.#control, ROOM_WANTED, 0);
      if (free() >= wanted) return true;
      if (Atomics.load(this.#control, READ) === read) return false;
    }
  }

  /** Gives memory back to the writer, who may wait for it. */
  #release(at: number): void {
    Atomics.store(this.#control, READ, at);
    const wanted = Atomics.load(this.#control, ROOM_WANTED);
    if (wanted === 0 || this.#units - this.#waitingUnits() < wanted) return;
    Atomics.store(this.#control, ROOM_WANTED, 0);
    Atomics.notify(this.#control, ROOM_WANTED);
  }

  /** Copies the bytes of an entry. Returns false when the writer has ended within it. */
  #collect(length: number): boolean {
    for (let taken = 0; taken < length; ) {
      const at = Atomics.load(this.#control, READ);
      const from = this.#unit(at);
      const units = Math.min(this.#waitingUnits(), this.#units - from);
      if (units === 0) {
        if (Atomics.load(this.#control, ENDING) === 1 && this.#waitingUnits() === 0) return false;
        this.rest(Infinity);
        continue;
      }
      const piece = Math.min(length - taken, units * UNIT_BYTES);
      this.#entry.set(this.#bytes.subarray(from * UNIT_BYTES, from * UNIT_BYTES + piece), taken);
      taken += piece;
      this.#release(at + Math.ceil(piece / UNIT_BYTES));
    }
    return true;
  }
}
