import type { Clock } from '../../firmware-protocol/clock.js';
import type { Port } from '../../firmware-protocol/port.js';

/** Bounds of the opening of a port. */
export interface OpenPortOptions {
  readonly signal?: AbortSignal;
  /** Deadline for opening, in ms. Default 5 s. */
  readonly timeoutMs?: number;
}

/**
 * The options that `connect` passes to every transport. A transport ignores options that do not concern it.
 */
export interface TransportOptions extends OpenPortOptions {
  /** The device URI as the caller gave it, for the name of the port. */
  readonly uri: string;
  /** Clock of a board that computes in this process. Default: the clock of the host. */
  readonly clock?: Clock;
  /** Whether a board that computes in this process gets a separate thread. */
  readonly ownThread?: boolean;
}

/** The parts that a device URI of every scheme has. */
export interface UriParts {
  /** The text between `scheme:` and `?`; its % escapes are not decoded yet. */
  readonly path: string;
  readonly parameters: URLSearchParams;
}

/**
 * A transport: one kind of connection to a board. `src/connect.ts` holds the list of transports and knows no
 * details of them. docs/how-to/add-a-transport.md lists the files that a new transport touches.
 */
export interface Transport<Address> {
  /** The lower-case word before the colon of the URI. */
  readonly scheme: string;
  /** The form of a URI of this scheme, for error texts and help. */
  readonly form: string;
  /** Takes a URI of this scheme apart. Throws `BadUri`, which the caller turns into BAD_DEVICE_URI. */
  parse(uri: UriParts): Address;
  /**
   * Opens a port to the board. Optional packages are loaded here and not earlier. Nothing stays open after an
   * error.
   */
  open(address: Address, options: TransportOptions): Promise<Port>;
  /**
   * Returns the address at which the same board can be found after its port was lost. It is called once,
   * while the port is open, and never rejects. If it is missing or returns undefined, a lost board is not
   * searched.
   */
  rediscover?(address: Address): Promise<Address | undefined>;
  /**
   * For a text that is not a URI: returns the end of a sentence with the URI that was probably meant;
   * undefined if there is no such URI.
   */
  suggest?(text: string): string | undefined;
}

/** Describes the fault of a URI. The message is the end of a sentence. */
export class BadUri extends Error {}

/** Turns the text of one parameter into its value. Throws `BadUri`, which names the parameter. */
type ParameterReader = (text: string, name: string) => unknown;

type ParameterValues<Readers extends Readonly<Record<string, ParameterReader>>> = {
  readonly [Name in keyof Readers]?: ReturnType<Readers[Name]>;
};

/**
 * Reads the parameters of a URI by name. Throws `BadUri` for a parameter without a reader: no parameter is
 * ignored.
 */
export function readParameters<const Readers extends Readonly<Record<string, ParameterReader>>>(
  parameters: URLSearchParams,
  readers: Readers,
): ParameterValues<Readers> {
  const known = Object.keys(readers);
  const values: Record<string, unknown> = {};
  for (const [name, text] of parameters) {
    if (!known.includes(name))
      throw new BadUri(
        `unknown parameter ${name}${known.length === 0 ? '' : ` (there is ${known.join(', ')})`}`,
      );
    values[name] = readers[name](text, name);
  }
  return values as ParameterValues<Readers>;
}

/** Reads decimal digits without a sign, from `min` to `max`. */
export function wholeNumber({ min, max }: { readonly min: number; readonly max: number }) {
  return (text: string, name: string): number => {
    const value = Number(text);
    if (!/^\d{1,10}$/.test(text) || value < min || value > max)
      throw new BadUri(`${name}=${text} is not a whole number from ${min} to ${max}`);
    return value;
  };
}

/** Reads 0 or 1. */
export function flag(text: string, name: string): boolean {
  if (text !== '0' && text !== '1') throw new BadUri(`${name}=${text} is neither 0 nor 1`);
  return text === '1';
}

/** Encodes the path of a file for a URI: blanks, #, ? and % are escaped. */
export function encodedPath(path: string): string {
  return encodeURI(path).replace(/[?#]/g, encodeURIComponent);
}

/** Decodes the % escapes of a file's path. */
export function decodedPath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new BadUri('a % in a path is written %25');
  }
}
