import { type Body, SIGNED } from './messages.js';

/** Readings of a run: each row has one value per requested channel, in machine units. */
export interface Rows {
  readonly rows: number;
  /** rows × channels. */
  readonly values: Float64Array;
}

type Reader = (view: DataView, offset: number) => number;

/** The function that reads a value, and the length of the value in bytes. */
const READERS: Readonly<Record<string, readonly [Reader, number] | undefined>> = {
  float32: [(view, at) => view.getFloat32(at, true), 4],
  float64: [(view, at) => view.getFloat64(at, true), 8],
  int16: [(view, at) => view.getInt16(at, true), 2],
  int32: [(view, at) => view.getInt32(at, true), 4],
  uint16: [(view, at) => view.getUint16(at, true), 2],
  uint32: [(view, at) => view.getUint32(at, true), 4],
};

/** The reader of a type; undefined for a type that no machine sends. */
function readerOf(type: Body<'SampleType'> | undefined): readonly [Reader, number] | undefined {
  if (type?.float !== undefined) return READERS[`float${type.float.bits}`];
  if (type?.integer === undefined) return undefined;
  const { signedness, bits } = type.integer;
  return READERS[`${signedness === SIGNED ? 'int' : 'uint'}${bits}`];
}

/**
 * Returns the readings of the first `channels` channels in a message: value·gain + offset. A row in the
 * message has `channelStride` values; values beyond the listed channels have no meaning.
 *
 * Undefined if the message is inconsistent: an unknown type, too few bytes for its rows, fewer channels than
 * requested, or a value that is not finite. The memory is bounded by the size of the message.
 */
export function readRows(data: Body<'SampleData'>, channels: number): Rows | undefined {
  const reader = readerOf(data.type);
  const { sampleCount: rows, channelStride: stride } = data;
  if (reader === undefined || stride < channels || data.channels.length < channels) return undefined;
  const [read, bytes] = reader;
  if (rows * stride * bytes > data.data.length) return undefined;
  const view = new DataView(data.data.buffer, data.data.byteOffset, data.data.byteLength);
  const values = new Float64Array(rows * channels);
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < channels; c++) {
      const { gain, offset } = data.channels[c];
      const value = read(view, (row * stride + c) * bytes) * gain + offset;
      if (!Number.isFinite(value)) return undefined;
      values[row * channels + c] = value;
    }
  return { rows, values };
}
