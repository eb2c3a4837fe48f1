/** The contents of the header of a .npy file, which describes the bytes after it. */
export interface NpyHeader {
  /** Byte order and type, as NumPy writes it: `<f8`. */
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

/** The error of a defective header. The caller adds the name of the file and a hint. */
export class NpyHeaderError extends Error {
  constructor(
    message: string,
    /** Whether the file is complete, but holds records with named fields. */
    readonly holdsRecords = false,
  ) {
    super(message);
  }
}

type Value = string | boolean | number | readonly number[];

/** A string without escapes, a number (`3L` in files of Python 2), a name, or a punctuation mark. */
const TOKEN = /\s*(?:'([^'\\]*)'|"([^"\\]*)"|(\d+)L?|([A-Za-z]\w*)|([{}()[\]:,]))/y;

interface Token {
  readonly kind: 'string' | 'number' | 'name' | 'mark' | 'end';
  readonly text: string;
}

/**
 * Parses the header text: a Python dictionary of exactly `descr`, `fortran_order` and `shape`, and no other
 * Python. Time is linear in the text. Throws `NpyHeaderError`.
 */
export function parseNpyHeader(text: string): NpyHeader {
  const entries = parseDictionary(tokenize(text));
  const descr = entries.get('descr');
  const fortranOrder = entries.get('fortran_order');
  const shape = entries.get('shape');
  if (typeof descr !== 'string') throw new NpyHeaderError('its header does not name a type');
  if (typeof fortranOrder !== 'boolean')
    throw new NpyHeaderError('its header does not say the storage order');
  if (!Array.isArray(shape)) throw new NpyHeaderError('its header does not say the shape');
  if (entries.size !== 3) throw new NpyHeaderError('its header has entries that are not of this format');
  return { descr, fortranOrder, shape };
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (;;) {
    const rest = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) {
      if (text.slice(rest).trim() !== '') throw new NpyHeaderError('its header is not one that NumPy writes');
      tokens.push({ kind: 'end', text: '' });
      return tokens;
    }
    const [, single, double, digits, name, mark] = match;
    if (digits !== undefined) tokens.push({ kind: 'number', text: digits });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else if (mark !== undefined) tokens.push({ kind: 'mark', text: mark });
    else tokens.push({ kind: 'string', text: single ?? double });
  }
}

function parseDictionary(tokens: readonly Token[]): Map<string, Value> {
  const entries = new Map<string, Value>();
  let next = 0;
  function isMark(mark: string): boolean {
    return tokens[next].kind === 'mark' && tokens[next].text === mark;
  }
  function expect(mark: string): void {
    if (!isMark(mark)) throw new NpyHeaderError(`its header lacks a "${mark}"`);
    next++;
  }
  function parseTuple(): number[] {
    const numbers: number[] = [];
    expect('(');
    while (!isMark(')')) {
      if (tokens[next].kind !== 'number')
        throw new NpyHeaderError('its shape is not a list of whole numbers');
      numbers.push(Number(tokens[next++].text));
      if (!isMark(')')) expect(',');
    }
    next++;
    return numbers;
  }
  function parseValue(): Value {
    if (isMark('(')) return parseTuple();
    if (isMark('[')) throw new NpyHeaderError('it holds records, not numbers', true);
    const { kind, text } = tokens[next++];
    if (kind === 'string') return text;
    if (kind === 'number') return Number(text);
    if (kind === 'name' && (text === 'True' || text === 'False')) return text === 'True';
    throw new NpyHeaderError('its header is not one that NumPy writes');
  }

  expect('{');
  while (!isMark('}')) {
    const key = tokens[next++];
    if (key.kind !== 'string' || entries.has(key.text))
      throw new NpyHeaderError('its header is not one that NumPy writes');
    expect(':');
    entries.set(key.text, parseValue());
    if (!isMark('}')) expect(',');
  }
  next++;
  if (tokens[next].kind !== 'end') throw new NpyHeaderError('its header has text after its end');
  return entries;
}

/** Functions that read one entry of a .npy file. */
export interface Dtype {
  readonly bytes: 1 | 2 | 4 | 8;
  /** The entry at byte `offset`; a whole number of 64 bits is rounded if float64 cannot hold it. */
  read(view: DataView, offset: number): number;
  /** Whether the value from `read` is finite and exactly the value in the file. */
  isValid(value: number): boolean;
}

type Kind = Omit<Dtype, 'read'> & { read(view: DataView, offset: number, littleEndian: boolean): number };

/** Whole numbers up to 2⁵³ − 1. A larger one may have been rounded when it was read as float64. */
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

/** Computes 64 bits from two halves, with at most one rounding and without a BigInt for each entry. */
function wide(view: DataView, at: number, little: boolean, signed: boolean): number {
  const low = view.getUint32(little ? at : at + 4, little);
  const highAt = little ? at + 4 : at;
  const high = signed ? view.getInt32(highAt, little) : view.getUint32(highAt, little);
  return high * 2 ** 32 + low;
}
