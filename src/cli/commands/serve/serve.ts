import { parseDeviceUri } from '../../../connect.js';
import { ThermolinkError } from '../../../errors.js';
import { readInputFile } from '../../../files/input-file.js';
import type { HubEvent } from '../../../hub/api.js';
import { type SharedDevice, SILENCE_MS } from '../../../hub/hub-options.js';
import { startHub } from '../../../hub/start-hub.js';
import { isReadableByOthers, Tokens } from '../../../hub/tokens.js';
import { counted } from '../../../number-text.js';
import { isLoopback, resolveHost } from '../../../serve/listening.js';
import { TOKEN_VARIABLE } from '../../../transport/hub-port.js';
import { parseHostPort, type TcpAddress } from '../../../transport/tcp-port.js';
import { defineCommand } from '../../command.js';
import { refuseTwice } from '../../device.js';
import { createLogger } from '../../logging.js';
import { LOG } from '../../options/groups.js';
import { flag, type OptionValues, option, repeatedOption } from '../../options/option.js';
import { decimalUpTo, type ValueParser } from '../../options/values.js';
import { withInterrupt } from '../../output/interrupt.js';
import { VERSION } from '../../version.js';

const DEFAULT_LISTEN: TcpAddress = { host: '127.0.0.1', port: 0 };
const SILENCE_SECONDS_MAX = 86_400;

const hostPort: ValueParser<TcpAddress> = (text, name) => {
  const address = parseHostPort(text);
  if (address) return address;
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `${name} takes HOST:PORT, but was given ${JSON.stringify(text)}.`,
    { hint: 'For example 127.0.0.1:8100, 127.0.0.1:0 or [::1]:0.' },
  );
};

/** The options of a server, which `console` has too. */
export const SERVE_OPTIONS = {
  devices: repeatedOption(
    '--device <uri>',
    'a board to share, as URI or NAME=URI; given once for each board',
  ),
  listen: option(
    '--listen <host:port>',
    'listen at this address; port 0 takes any free port (default: 127.0.0.1:0)',
    {
      value: hostPort,
    },
  ),
  tokenFile: option('--token-file <file>', 'tokens and their rights, in lines OWNER RIGHT TOKEN', {
    file: 'input',
  }),
  tlsCert: option('--tls-cert <file>', 'encrypt with this certificate chain (PEM)', { file: 'input' }),
  tlsKey: option('--tls-key <file>', 'private key of the certificate (PEM)', { file: 'input' }),
  origins: repeatedOption(
    '--origin <url>',
    'another web page that may send requests, such as https://lab.example',
  ),
  silence: option(
    '--silence <s>',
    'a client that is silent for this time loses the board if somebody waits',
    {
      value: decimalUpTo(SILENCE_SECONDS_MAX),
      default: SILENCE_MS / 1000,
    },
  ),
  recordings: option(
    '--recordings <directory>',
    'directory in which recordings are kept (default: one that is removed at the end)',
  ),
  json: flag('--json', 'print events as lines of JSON'),
  ...LOG,
};

type ServeOptions = OptionValues<typeof SERVE_OPTIONS>;

export const command = defineCommand({
  options: SERVE_OPTIONS,
  example: `
Examples:
  thermolink serve --device emulator:ideal-64 --listen 127.0.0.1:8100
  thermolink serve --device lab1=serial:/dev/ttyACM0 --device lab2=tcp://10.0.0.7:7000 --token-file tokens
  thermolink solve --matrix A.csv --rhs b.csv --device hub://127.0.0.1:8100/ideal-64

One client at a time drives a board; the others wait or watch. When a client leaves, the server stops its run
and leaves the board safe. At another address than 127.0.0.1 the server asks clients for a token. --token-file
names the file of tokens. The token in the environment variable ${TOKEN_VARIABLE} has all rights. The rights are
observe, stop, drive and admin; each includes those before it. Make a token by: openssl rand -hex 24

The server never removes a recording from the directory of --recordings. Without that option it keeps only the
last finished recording of each board, until the server ends.

GET /metrics has figures for Prometheus; GET /healthz says whether a board is good. --log-level debug logs
each command that a board answers, with the name of the lease. The log of the client has the same name.`,
  run: (options) => withInterrupt((signal) => serve(options, signal)),
});

/** Serves boards until `signal`; `onListening` is given the address of the page. */
export async function serve(
  options: ServeOptions,
  signal: AbortSignal,
  onListening: (url: string) => void = () => undefined,
): Promise<void> {
  const devices = sharedDevices(options.devices);
  const print = (text: string, json: object): boolean =>
    process.stdout.write(`${options.json ? JSON.stringify(json) : text}\n`);
  const { listen = DEFAULT_LISTEN, silence, origins, recordings } = options;
  const tokens = await tokensOf(options);
  const tls = await tlsOf(options);
  if (tokens !== undefined && tls === undefined && !isLoopback(await resolveHost(listen)))
    process.stderr.write(
      'Without --tls-cert tokens travel unencrypted: anybody who listens on the network can read them.\n',
    );
  const log = await createLogger(options);
  const hub = await startHub({
    ...(log && { log }),
    devices,
    ...listen,
    ...(tokens && { tokens }),
    ...(tls && { tls }),
    origins: checkedOrigins(origins ?? []),
    silenceMs: 1000 * silence,
    ...(recordings !== undefined && { recordings }),
    version: VERSION,
    onEvent: (event) => {
      const text = lineOf(event);
      if (text !== undefined) print(text, event);
    },
  });
  try {
    const uris = [...hub.uris.values()];
    const text = `${counted(devices.length, 'board')} at ${hub.url}; open that in a browser, or connect by --device\n${uris.map((uri) => `  ${uri}`).join('\n')}`;
    print(text, { event: 'listening', url: hub.url, uris });
    onListening(hub.url);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    await hub.close();
  }
}

/** The line that is printed for an event; undefined for events that a page shows better. */
function lineOf(event: HubEvent): string | undefined {
  if (event.type !== 'incident') return undefined;
  return `${event.board ?? 'server'}: ${event.text}`;
}

/** The boards, each with a name. Errors: BAD_ARGUMENT, those of `parseDeviceUri`. */
function sharedDevices(texts: readonly string[] | undefined): readonly SharedDevice[] {
  if (texts === undefined)
    throw new ThermolinkError('BAD_ARGUMENT', 'No board to share is named.', {
      hint: 'Name a board by --device, for example --device emulator:ideal-64.',
    });
  const devices: SharedDevice[] = [];
  for (const text of texts) {
    const [, given, uri] = /^(?:([a-zA-Z0-9][\w.-]*)=)?(.*)$/s.exec(text)!;
    const { kind } = parseDeviceUri(uri);
    if (kind === 'lucidac')
      throw new ThermolinkError('UNSUPPORTED', 'A LUCIDAC can not be shared: it speaks another protocol.', {
        hint: 'A LUCIDAC itself takes one client after another.',
      });
    devices.push({ name: given ?? freeName(uri, devices), uri });
  }
  refuseTwice(devices.map(({ uri }) => uri));
  return devices;
}

/**
 * Makes a name from the URI. It is the text after the scheme, followed by a number if this name is already
 * taken.
 */
function freeName(uri: string, devices: readonly SharedDevice[]): string {
  const path = uri
    .replace(/^[^:]*:/, '')
    .replace(/\?.*$/, '')
    .replace(/^file=/, '');
  const plain = path
    .replace(/^.*\/(?=[^/])/, '')
    .replace(/\.(json|mcap)$/, '')
    .replace(/[^a-zA-Z0-9._-]+/g, '-');
  const base = plain.replace(/^[^a-zA-Z0-9]+/, '').slice(0, 48) || 'board';
  const isTaken = (name: string): boolean => devices.some((device) => device.name === name);
  let name = base;
  for (let count = 2; isTaken(name); count++) name = `${base}-${count}`;
  return name;
}

async function tokensOf({ tokenFile }: ServeOptions): Promise<Tokens | undefined> {
  if (tokenFile !== undefined) {
    const tokens = await Tokens.read(tokenFile);
    if (await isReadableByOthers(tokenFile))
      process.stderr.write(`Others than you may read ${tokenFile}: chmod 600 ${tokenFile}\n`);
    return tokens;
  }
  const token = process.env[TOKEN_VARIABLE]?.trim();
  return token ? Tokens.single(token, `The environment variable ${TOKEN_VARIABLE}`) : undefined;
}

async function tlsOf({ tlsCert, tlsKey }: ServeOptions) {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new ThermolinkError('BAD_ARGUMENT', '--tls-cert and --tls-key belong together.', {
      hint: 'Give both options or neither.',
    });
  const [cert, key] = await Promise.all([tlsCert, tlsKey].map(readInputFile));
  const decoder = new TextDecoder();
  return { cert: decoder.decode(cert), key: decoder.decode(key) };
}

function checkedOrigins(origins: readonly string[]): readonly string[] {
  const wrong = origins.find(
    (origin) => !URL.canParse(origin) || !/^https?:$/.test(new URL(origin).protocol),
  );
  if (wrong === undefined) return origins;
  throw new ThermolinkError('BAD_ARGUMENT', `--origin was given ${JSON.stringify(wrong)}.`, {
    hint: 'Write the beginning of the address of the page, such as https://lab.example.',
  });
}
