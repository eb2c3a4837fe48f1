import type { Clock } from '../../firmware-protocol/clock.js';
import type { openPort } from '../connect.js';
import type { Logger } from '../driver/logger.js';
import type { HubEvent } from './api.js';
import type { Tokens } from './tokens.js';

/** Default of `silenceMs`. */
export const SILENCE_MS = 60_000;

/** A board to share. */
export interface SharedDevice {
  /** Its name on the server. */
  readonly name: string;
  /** Its device URI. */
  readonly uri: string;
}

/** Options of sharing boards. */
export interface HubOptions {
  readonly devices: readonly SharedDevice[];
  /** Default 127.0.0.1. An address that other machines can reach needs tokens. */
  readonly host?: string;
  /** Default 0: any free one. */
  readonly port?: number;
  /** The tokens with their rights. Without tokens, everybody who reaches the server may do everything. */
  readonly tokens?: Tokens;
  /** Certificate chain and key, in PEM. Without them nothing is encrypted. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Other origins whose pages may send requests, such as `https://lab.example`. */
  readonly origins?: readonly string[];
  /** A holder that is silent for this time loses the board if somebody waits for it, ms. Default 60 s. */
  readonly silenceMs?: number;
  readonly clock?: Clock;
  /**
   * Directory for recordings. The hub does not remove them. Default: a temporary directory with the last
   * recording of each board, which is removed at the end.
   */
  readonly recordings?: string;
  /**
   * Logs incidents (info), and each command with its lease, request and round trip (debug). It never logs a
   * token.
   */
  readonly log?: Logger;
  /** Called with every event that observers get. */
  readonly onEvent?: (event: HubEvent) => void;
  /** Opens the port of a board; tests give their own. */
  readonly openPort?: typeof openPort;
  readonly version: string;
}

/** A server that shares boards. */
export interface Hub {
  /** Its address, such as `http://127.0.0.1:8100`. */
  readonly url: string;
  /** The device URI of each board, by its name. */
  readonly uris: ReadonlyMap<string, string>;
  /** Ends all leases, leaves the boards safe, closes everything. Errors: none. */
  close(): Promise<void>;
}
