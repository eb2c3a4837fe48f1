import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { Clock } from '../../firmware-protocol/clock.js';
import { ThermolinkError } from '../errors.js';
import { RIGHT, type Right } from './api.js';
import { Refusal } from './refusal.js';

/** A shorter token could be guessed. */
const TOKEN_CHARACTERS_MIN = 16;
const TOKEN_CHARACTERS_MAX = 256;
/** Largest number of lines of a token file. */
const TOKENS_MAX = 1000;
/**
 * After this number of wrong tokens from one address within GUESS_WINDOW_MS, the next wrong token gets the
 * answer to wait.
 */
const GUESSES_MAX = 10;
const GUESS_WINDOW_MS = 60_000;
/**
 * Largest number of addresses whose wrong tokens are counted. The address whose last guess is oldest is
 * forgotten.
 */
const GUESSERS_MAX = 10_000;

const RIGHTS = RIGHT.options;
/** Owner of every client on a server without tokens. */
export const LOCAL_OWNER = 'local';

/** The owner of a token, and its right. */
export interface Identity {
  /** The name that the token file gives to the token. */
  readonly owner: string;
  readonly right: Right;
}

/** Whether a right includes another one. */
export function allows({ right }: Identity, needed: Right): boolean {
  return RIGHTS.indexOf(right) >= RIGHTS.indexOf(needed);
}

interface Entry extends Identity {
  readonly digest: Buffer;
}

/** The tokens that a server knows. It keeps only their digests. */
export class Tokens {
  readonly #entries: readonly Entry[];

  private constructor(entries: readonly Entry[]) {
    this.#entries = entries;
  }

  /** One token, whose owner may do everything. Errors: BAD_ARGUMENT for one that could be guessed. */
  static single(token: string, source: string): Tokens {
    checkToken(token, source);
    return new Tokens([{ owner: 'admin', right: 'admin', digest: digestOf(token) }]);
  }

  /**
   * Reads a token file: one line for each token, with owner, right and token, separated by blanks; # begins a
   * comment at the start of a line or after a blank. Errors: BAD_FILE, which names the line and never shows a
   * token.
   */
  static async read(path: string): Promise<Tokens> {
    const bad = (problem: string, hint: string): ThermolinkError =>
      new ThermolinkError('BAD_FILE', `The token file ${path} ${problem}.`, { hint, data: { path } });
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (cause) {
      throw bad(`can't be read: ${(cause as NodeJS.ErrnoException).code}`, 'Check the path.');
    }
    const entries: Entry[] = [];
    for (const [at, line] of text.split(/\r?\n/).entries()) {
      const written = line.replace(/(^|\s)#.*$/, '').trim();
      if (written === '') continue;
      const [owner, right, token, ...rest] = written.split(/\s+/);
      const where = `line ${at + 1}`;
      if (token === undefined || rest.length > 0)
        throw bad(`has a bad ${where}`, 'A line is OWNER RIGHT TOKEN, for example: alice drive 3f9c…');
      if (!/^[\w.@-]{1,64}$/.test(owner))
        throw bad(`has a bad owner in ${where}`, 'Letters, digits and . _ @ - only.');
      const known = RIGHTS.find((one) => one === right);
      if (known === undefined)
        throw bad(`has a bad right in ${where}`, `A right is one of ${RIGHTS.join(', ')}.`);
      checkToken(token, `${path}, ${where}`);
      const digest = digestOf(token);
      if (entries.some((other) => other.digest.equals(digest)))
        throw bad(`has the token of ${where} twice`, 'Give every owner a token of their own.');
      entries.push({ owner, right: known, digest });
    }
    if (entries.length === 0) throw bad('holds no token', 'A line is OWNER RIGHT TOKEN.');
    if (entries.length > TOKENS_MAX) throw bad(`holds more than ${TOKENS_MAX} tokens`, 'Remove old ones.');
    return new Tokens(entries);
  }

  /**
   * The owner and right of a token. All digests are compared, each in constant time, so the duration reveals
   * nothing about the tokens.
   */
  find(token: string): Identity | undefined {
    const digest = digestOf(token);
    let found: Entry | undefined;
    for (const entry of this.#entries) if (timingSafeEqual(entry.digest, digest)) found = entry;
    return found && { owner: found.owner, right: found.right };
  }
}

/** Whether other users than the owner of the file may read it, if the system has such permissions. */
export async function isReadableByOthers(path: string): Promise<boolean> {
  if (process.platform === 'win32') return false;
  return ((await stat(path)).mode & 0o077) !== 0;
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function checkToken(token: string, source: string): void {
  const fits = token.length >= TOKEN_CHARACTERS_MIN && token.length <= TOKEN_CHARACTERS_MAX;
  if (fits && /^[\x21-\x7e]+$/.test(token)) return;
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `${source}: a token has ${TOKEN_CHARACTERS_MIN} to ${TOKEN_CHARACTERS_MAX} ASCII characters without blanks.`,
    { hint: 'Make one by `openssl rand -hex 24`.' },
  );
}

/** Decides who a client is, and counts wrong tokens by address. */
export class Gate {
  readonly #tokens: Tokens | undefined;
  readonly #clock: Clock;
  readonly #guessers = new Map<string, { count: number; readonly sinceMs: number }>();

  /** Without tokens everybody may do everything. */
  constructor(tokens: Tokens | undefined, clock: Clock) {
    this.#tokens = tokens;
    this.#clock = clock;
  }

  /** Whether clients have to show a token. */
  get asks(): boolean {
    return this.#tokens !== undefined;
  }

  /**
   * Identifies the client by its token. A known token is accepted from every address, even after many wrong
   * tokens from it, because people behind one proxy share an address. Throws a `Refusal` for a missing or
   * wrong one.
   */
  enter(token: string | undefined, address: string): Identity {
    if (this.#tokens === undefined) return { owner: LOCAL_OWNER, right: 'admin' };
    if (token === undefined || token === '')
      throw new Refusal(401, 'NOT_ALLOWED', 'This server asks for a token.', MISSING);
    const identity = token.length <= TOKEN_CHARACTERS_MAX ? this.#tokens.find(token) : undefined;
    if (identity !== undefined) return identity;
    const place = networkOf(address);
    const guesser = this.#guesserAt(place);
    if (guesser !== undefined && guesser.count >= GUESSES_MAX)
      throw new Refusal(
        429,
        'NOT_ALLOWED',
        `There were ${GUESSES_MAX} wrong tokens from ${place}.`,
        'Use the right token, which is accepted at any time. Wait a minute before you try another one.',
        Math.ceil((guesser.sinceMs + GUESS_WINDOW_MS - this.#clock.nowMs()) / 1000),
      );
    this.#countGuess(place, guesser);
    throw new Refusal(401, 'NOT_ALLOWED', 'This server does not know the token.', MISSING);
  }

  /** The wrong tokens of this address within the window. */
  #guesserAt(place: string) {
    const guesser = this.#guessers.get(place);
    return guesser !== undefined && this.#clock.nowMs() - guesser.sinceMs < GUESS_WINDOW_MS
      ? guesser
      : undefined;
  }

  #countGuess(place: string, guesser: { count: number } | undefined): void {
    if (guesser !== undefined) {
      guesser.count++;
      return;
    }
    this.#guessers.delete(place);
    this.#guessers.set(place, { count: 1, sinceMs: this.#clock.nowMs() });
    if (this.#guessers.size > GUESSERS_MAX) this.#guessers.delete(this.#guessers.keys().next().value!);
  }
}

const MISSING =
  'Set THERMOLINK_TOKEN, or add token_file=PATH to the URI; the person who runs the server gives tokens.';

/**
 * The part of an address that stands for one customer: all of an IPv4 address, the first 64 bits of an IPv6
 * address.
 */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '');
  if (!plain.includes(':')) return plain;
  const [head, tail = ''] = plain.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0');
  return `${[...front, ...zeros, ...back].slice(0, 4).join(':')}::/64`;
}
