import type { Clock } from '../../firmware-protocol/clock.js';
import type { Port } from '../../firmware-protocol/port.js';

/** What bounds the opening of a port. */
export interface OpenPortOptions {
  readonly signal?: AbortSignal;
  /** Deadline for opening, in ms. Default 5 s. */
  readonly timeoutMs?: number;
}

/** What `connect` hands to every transport. A transport ignores what does not concern it. */
export interface TransportOptions extends OpenPortOptions {
  /** The device URI as the caller gave it, for the name of the port. */
  readonly uri: string;
  /** The time of a board that computes in this process. Default: the machine's clock. */
  readonly clock?: Clock;
  /** Whether a board that computes in this process gets a thread of its own. */
  readonly ownThread?: boolean;
}

/** The parts that a device URI of every scheme has. */
export interface UriParts {
  /** The text between `scheme:` and `?`; its % escapes are not decoded yet. */
  readonly path: string;
  readonly parameters: URLSearchParams;
}

/**
 * One way that bytes travel to a board. `src/connect.ts` holds the list of them and knows nothing else of
 * any. docs/how-to/add-a-transport.md lists the files that a new one touches.
 */
export interface Transport<Address> {
  /** The lower-case word before the colon of the URI. */
  readonly scheme: string;
  /** How a URI of this scheme is written, for error texts and help. */
  readonly form: string;
  /** Takes a URI of this scheme apart. Throws `BadUri`, which the caller turns into BAD_DEVICE_URI. */
  parse(uri: UriParts): Address;
  /**
   * Opens a port to the board. It loads optional packages here, not earlier. Nothing stays
   * open after an error.
   */
  open(address: Address, options: TransportOptions): Promise<Port>;
  /**
   * Returns where the same board will be found after its port was lost. It is called once, while the port is
   * open, and never rejects. Undefined, or a transport without it: the board is not looked for.
   */
  rediscover?(address: Address): Promise<Address | undefined>;
  /**
   * Returns the end of a sentence that names the URI which was meant by a text that is no URI, or undefined.
   */
  suggest?(text: string): string | undefined;
}

/** Says what is wrong with a URI. The message is the end of a sentence. */
export class BadUri extends Error {}

/** Turns the text of one parameter into its value. Throws `BadUri`, which names the parameter. */
type ParameterReader = (text: string, name: string) => unknown;

type ParameterValues<Readers extends Readonly<Record<string, ParameterReader>>> = {
  readonly [Name in keyof Readers]?: ReturnType<Readers[Name]>;
};

/** Reads the parameters of a URI by name. Throws `BadUri` for one that has no reader: none is ignored. */
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
      throw new BadUri(`${name}=${text} is no whole number from ${min} to ${max}`);
    return value;
  };
}

/** Reads 0 or 1. */
export function flag(text: string, name: string): boolean {
  if (text !== '0' && text !== '1') throw new BadUri(`${name}=${text} is neither 0 nor 1`);
  return text === '1';
}

/** Writes a file's path for a URI: blanks, #, ? and % are escaped. */
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
