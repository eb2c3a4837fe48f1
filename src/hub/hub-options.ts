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

/** How boards are shared. */
export interface HubOptions {
  readonly devices: readonly SharedDevice[];
  /** Default 127.0.0.1. An address that other machines can reach needs tokens. */
  readonly host?: string;
  /** Default 0: any free one. */
  readonly port?: number;
  /** Who may do what. Without tokens everybody who reaches the server may do everything. */
  readonly tokens?: Tokens;
  /** Certificate chain and key, in PEM. Without them nothing is encrypted. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Pages of other origins that may ask, such as `https://lab.example`. */
  readonly origins?: readonly string[];
  /** A holder that is silent for so long loses the board when somebody waits for it, ms. Default 60 s. */
  readonly silenceMs?: number;
  readonly clock?: Clock;
  /**
   * Where recordings go; none is removed from there. Default: a directory of its own, which keeps of each
   * board the recording that ended last, and is removed at the end.
   */
  readonly recordings?: string;
  /** Logs incidents (info), and each command with its lease, request and round trip (debug). No token. */
  readonly log?: Logger;
  /** Called with everything that observers are told. */
  readonly onEvent?: (event: HubEvent) => void;
  /** Opens the port of a board; tests give their own. */
  readonly openPort?: typeof openPort;
  readonly version: string;
}

/** A server that shares boards. */
export interface Hub {
  /** Where it is reached, such as `http://127.0.0.1:8100`. */
  readonly url: string;
  /** The device URI of each board, by its name. */
  readonly uris: ReadonlyMap<string, string>;
  /** Ends all leases, leaves the boards safe, closes everything. Errors: none. */
  close(): Promise<void>;
}
