/** The reason why a record can't be read. The message is the end of a sentence about the record. */
export class BadRecord extends Error {}

/** Longest text of a record, in bytes. */
const TEXT_BYTES_MAX = 1024 * 1024;
/** Largest number of entries of a map in a record. */
const MAP_ENTRIES_MAX = 65_536;

/**
 * Reads the fields of one MCAP record: little-endian, texts and lists with their length in front. Errors:
 * `BadRecord` for a field that does not lie within the record.
 */
export class RecordCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#bytes[this.#skip(1)];
  }

  u16(): number {
    return this.#view.getUint16(this.#skip(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#skip(8), true);
  }

  /** A length or a size. */
  size(): number {
    const size = this.u64();
    if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw new BadRecord(`claims ${size} bytes`);
    return Number(size);
  }

  /** The next bytes, without a copy. */
  bytes(length: number): Uint8Array {
    const from = this.#skip(length);
    return this.#bytes.subarray(from, from + length);
  }

  text(): string {
    const length = this.u32();
    if (length > TEXT_BYTES_MAX) throw new BadRecord(`claims a text of ${length} bytes`);
    return new TextDecoder().decode(this.bytes(length));
  }

  /** A map of texts. */
  textMap(): Map<string, string> {
    const end = this.#at + 4 + this.u32();
    const entries = new Map<string, string>();
    while (this.#at < end) {
      if (entries.size >= MAP_ENTRIES_MAX) throw new BadRecord(`has more than ${MAP_ENTRIES_MAX} entries`);
      entries.set(this.text(), this.text());
    }
    return entries;
  }

  #skip(length: number): number {
    const from = this.#at;
    if (length > this.left) throw new BadRecord(`claims ${length} bytes, but only ${this.left} are left`);
    this.#at += length;
    return from;
  }
}
