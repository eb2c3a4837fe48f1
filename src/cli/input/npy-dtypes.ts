/** How one entry of a .npy file is read. */
export interface Dtype {
  readonly bytes: 1 | 2 | 4 | 8;
  /** The entry at byte `offset`; a whole number of 64 bits is rounded if float64 cannot hold it. */
  read(view: DataView, offset: number): number;
  /** Whether what `read` returned is the value that the file holds, and finite. */
  isValid(value: number): boolean;
}

type Kind = Omit<Dtype, 'read'> & { read(view: DataView, offset: number, littleEndian: boolean): number };

/** Exactly the values at which rounding in `int64` and `uint64` cannot have happened. */
const isExact = Number.isSafeInteger;
const isReal = Number.isFinite;

const KINDS: Readonly<Record<string, Kind>> = {
  f4: { bytes: 4, isValid: isReal, read: (view, at, little) => view.getFloat32(at, little) },
  f8: { bytes: 8, isValid: isReal, read: (view, at, little) => view.getFloat64(at, little) },
  i1: { bytes: 1, isValid: isExact, read: (view, at) => view.getInt8(at) },
  i2: { bytes: 2, isValid: isExact, read: (view, at, little) => view.getInt16(at, little) },
  i4: { bytes: 4, isValid: isExact, read: (view, at, little) => view.getInt32(at, little) },
  i8: { bytes: 8, isValid: isExact, read: (view, at, little) => wide(view, at, little, true) },
  u1: { bytes: 1, isValid: isExact, read: (view, at) => view.getUint8(at) },
  u2: { bytes: 2, isValid: isExact, read: (view, at, little) => view.getUint16(at, little) },
  u4: { bytes: 4, isValid: isExact, read: (view, at, little) => view.getUint32(at, little) },
  u8: { bytes: 8, isValid: isExact, read: (view, at, little) => wide(view, at, little, false) },
};

/** Every supported type under the name that NumPy writes: `<f8`, `>i4`, `|u1`. */
export const DTYPES: ReadonlyMap<string, Dtype> = new Map(
  Object.entries(KINDS).flatMap(([name, { bytes, isValid, read }]): [string, Dtype][] => {
    const little: Dtype = { bytes, isValid, read: (view, at) => read(view, at, true) };
    const big: Dtype = { bytes, isValid, read: (view, at) => read(view, at, false) };
    // Bytes have no order; NumPy marks them `|`, other writers as little-endian.
    if (bytes === 1) return ['|', '<', '>'].map((order) => [order + name, little]);
    return [
      [`<${name}`, little],
      [`>${name}`, big],
    ];
  }),
);

/** 64 bits from two halves: one rounding at most, and no BigInt per entry. */
function wide(view: DataView, at: number, little: boolean, signed: boolean): number {
  const low = view.getUint32(little ? at : at + 4, little);
  const highAt = little ? at + 4 : at;
  const high = signed ? view.getInt32(highAt, little) : view.getUint32(highAt, little);
  return high * 2 ** 32 + low;
}
