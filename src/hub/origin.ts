import type { IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
import { Refusal } from './refusal.js';

/**
 * Decides which pages and host names may send requests. A page of another site can make a browser of this
 * machine connect to the server, and can give its own name the address of this machine (DNS rebinding). So
 * the requested host and the origin of the page must both be known.
 */
export class Origins {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;

  /**
   * The server listens at `listenHost`. `origins` are further origins whose pages may send requests, such as
   * `https://lab.example`.
   */
  constructor(listenHost: string, origins: readonly string[]) {
    this.#origins = new Set(origins.map((origin) => new URL(origin).origin));
    this.#hosts = new Set([
      'localhost',
      '127.0.0.1',
      '[::1]',
      inBrackets(listenHost).toLowerCase(),
      hostname().toLowerCase(),
      ...origins.map((origin) => new URL(origin).hostname),
    ]);
  }

  /** Throws a `Refusal` for a request of a foreign page, or for a host that is not this server. */
  check({ headers, socket }: IncomingMessage): void {
    const asked = hostOf(headers.host);
    const own = inBrackets((socket.localAddress ?? '').replace(/^::ffff:/, ''));
    if (asked === undefined || (!this.#hosts.has(asked.name) && asked.name !== own))
      throw new Refusal(
        403,
        'NOT_ALLOWED',
        'The request names another host than this server.',
        'Use the address that the server printed, or list the page with that name in `origins` of the server.',
      );
    const { origin } = headers;
    if (origin === undefined) return;
    // The scheme may differ, because a proxy in front of the server may speak TLS.
    const page = URL.canParse(origin) ? new URL(origin) : undefined;
    if (page !== undefined && (page.host === asked.host || this.#origins.has(page.origin))) return;
    throw new Refusal(
      403,
      'NOT_ALLOWED',
      'A page of another origin asks.',
      'Open the page of this server itself, or list that page in `origins` of the server.',
    );
  }
}

function hostOf(header: string | undefined): { readonly name: string; readonly host: string } | undefined {
  if (header === undefined || !URL.canParse(`http://${header}`)) return undefined;
  const { hostname: name, host } = new URL(`http://${header}`);
  return { name, host };
}

function inBrackets(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
