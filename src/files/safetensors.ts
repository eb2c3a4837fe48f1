import { readFileSync } from 'node:fs';
import { badFile } from './input-file.js';
import { replaceWith } from './replace-file.js';

/** A named array of float64 numbers, row-major. */
export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** The contents of a file of tensors. */
export interface TensorFile {
  readonly tensors: readonly Tensor[];
  /** Texts that the writer of the file added. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The data begin at a multiple of this, so a reader can map the file into memory. */
const ALIGNMENT_BYTES = 8;
const LENGTH_BYTES = 8;
/** A longer header is refused. The reference implementation has the same limit. */
const HEADER_BYTES_MAX = 100_000_000;
const METADATA = '__metadata__';
const READERS: Readonly<
  Record<string, { readonly bytes: number; read: (view: DataView, at: number) => number }>
> = {
  F64: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  F32: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
};

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/**
 * Writes tensors as float64 in the safetensors format, and replaces the file. The file holds the length of
 * the header (u64), the header, and the numbers, all little-endian. The header is JSON with the type, shape
 * and place of each tensor, and `metadata`. Throws the error of the operating system. Source:
 * https://github.com/huggingface/safetensors, "Format".
 */
export function writeSafetensors(path: string, { tensors, metadata }: TensorFile): void {
  let end = 0;
  const entries = tensors.map(({ name, shape, values }): [string, Entry] => {
    const begin = end;
    end += values.byteLength;
    return [name, { dtype: 'F64', shape, data_offsets: [begin, end] }];
  });
  const json = Buffer.from(JSON.stringify({ [METADATA]: metadata, ...Object.fromEntries(entries) }));
  const padding = -(LENGTH_BYTES + json.length) & (ALIGNMENT_BYTES - 1);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(json.length + padding));
  const data = tensors.map(({ values }) => Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  replaceWith(path, [length, json, Buffer.alloc(padding, ' '), ...data]);
}

/**
 * Reads a file of the safetensors format with numbers of the types F64 and F32.
 *
 * Errors: BAD_FILE for a file that is missing, cut or damaged, whose tensors overlap or leave gaps, or with
 * numbers of another type.
 */
export function readSafetensors(path: string): TensorFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw badFile(path, `${path} can't be read.`, 'Name a file that exists.', cause);
  }
  const damaged = (what: string) =>
    badFile(path, `${path} is not a whole safetensors file: ${what}.`, 'Write it again, or copy it again.');
  if (bytes.length < LENGTH_BYTES) throw damaged(`it has ${bytes.length} bytes`);
  const headerBytes = bytes.readBigUInt64LE(0);
  if (headerBytes > HEADER_BYTES_MAX || Number(headerBytes) > bytes.length - LENGTH_BYTES)
    throw damaged(`the file gives a header length of ${headerBytes} bytes`);
  const dataAt = LENGTH_BYTES + Number(headerBytes);
  const header = parsedHeader(bytes.toString('utf8', LENGTH_BYTES, dataAt));
  if (header === undefined) throw damaged('its header does not follow the format');
  const data = bytes.subarray(dataAt);
  const ordered = [...header.entries].sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0]);
  let end = 0;
  for (const [name, { data_offsets: offsets }] of ordered) {
    if (offsets[0] !== end) throw damaged(`there is a gap or an overlap before ${JSON.stringify(name)}`);
    end = offsets[1];
  }
  if (end !== data.length)
    throw damaged(`its tensors need ${end} bytes of data, but the file has ${data.length}`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const tensors = header.entries.map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [begin, stop],
      },
    ]): Tensor => {
      const reader = Object.hasOwn(READERS, dtype) ? READERS[dtype] : undefined;
      if (!reader)
        throw badFile(
          path,
          `${path} holds numbers of the type ${dtype}. This reader does not know this type.`,
          `Store them as ${Object.keys(READERS).join(' or ')}.`,
        );
      const count = shape.reduce((product, length) => product * length, 1);
      if (stop - begin !== count * reader.bytes)
        throw damaged(`the place of ${JSON.stringify(name)} does not fit its shape`);
      return {
        name,
        shape,
        values: Float64Array.from({ length: count }, (_, i) => reader.read(view, begin + i * reader.bytes)),
      };
    },
  );
  return { tensors, metadata: header.metadata };
}

function parsedHeader(
  text: string,
): { readonly entries: [string, Entry][]; readonly metadata: Record<string, string> } | undefined {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(header)) return undefined;
  const { [METADATA]: metadata = {}, ...tensors } = header;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string'))
    return undefined;
  const entries = Object.entries(tensors);
  return entries.every(isEntry) ? { entries, metadata: metadata as Record<string, string> } : undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const areSizes = (value: unknown): value is number[] => Array.isArray(value) && value.every(isSize);

function isEntry(pair: [string, unknown]): pair is [string, Entry] {
  const [, entry] = pair;
  if (!isRecord(entry)) return false;
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !areSizes(shape)) return false;
  return areSizes(offsets) && offsets.length === 2 && offsets[0] <= offsets[1];
}
