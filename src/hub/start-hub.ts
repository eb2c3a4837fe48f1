import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import { badArgument, checkObject, checkText, checkWhole } from '../argument-checks.js';
import { parseDeviceUri } from '../connect.js';
import { ThermolinkError } from '../errors.js';
import { isLoopback, listenAt, resolveHost, shownHost } from '../serve/listening.js';
import { BOARD_NAME } from './api.js';
import type { Hub, HubOptions, SharedDevice } from './hub-options.js';
import { HubServer } from './hub-server.js';

/** Boards of one server. */
const BOARDS_MAX = 64;

/**
 * Shares boards. Errors: BAD_ARGUMENT, CANNOT_LISTEN; BAD_FILE for a certificate and a key that do not fit;
 * those of `parseDeviceUri`. No board was opened then, or all are closed again.
 */
export async function startHub(options: HubOptions): Promise<Hub> {
  checkObject('options', options, "{ devices: [{ name: 'a', uri: 'emulator:ideal-8' }] }");
  const { host = '127.0.0.1', port = 0, devices, tokens, tls } = options;
  checkText('host', host);
  checkWhole('port', port, 0, 65_535);
  checkDevices(devices);
  checkTls(tls);
  const address = { host, port };
  const resolved = await resolveHost(address);
  if (!isLoopback(resolved) && tokens === undefined)
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `${host} can be reached from other machines, and there are no tokens: whoever connects would drive the boards.`,
      {
        hint: 'Give `tokens`: a token file, or one token in the environment variable THERMOLINK_TOKEN. Or use 127.0.0.1.',
        data: { host: resolved },
      },
    );
  const { recordings } = options;
  const directory = recordings ?? (await mkdtemp(path.join(tmpdir(), 'thermolink-hub-')));
  const server = new HubServer(options, host, directory);
  const close = async (): Promise<void> => {
    await server.close();
    if (recordings === undefined) await rm(directory, { recursive: true, force: true });
  };
  let bound: number;
  try {
    bound = await listenAt(server.http, resolved, address);
  } catch (error) {
    await close();
    throw error;
  }
  const shown = shownHost(resolved);
  const place = `${shown.includes(':') ? `[${shown}]` : shown}:${bound}`;
  return {
    url: `${tls ? 'https' : 'http'}://${place}`,
    uris: new Map(devices.map(({ name }) => [name, `${tls ? 'hubs' : 'hub'}://${place}/${name}`])),
    close,
  };
}

function checkDevices(devices: readonly SharedDevice[]): void {
  if (!Array.isArray(devices) || devices.length === 0)
    throw badArgument('devices', devices, 'a list of at least one board');
  if (devices.length > BOARDS_MAX)
    throw badArgument('devices', devices.length, `at most ${BOARDS_MAX} boards`);
  const names = new Set<string>();
  for (const { name, uri } of devices as readonly SharedDevice[]) {
    if (!BOARD_NAME.safeParse(name).success)
      throw badArgument('name', name, 'a name of letters, digits and . _ -');
    if (names.has(name)) throw badArgument('name', name, 'a name that no other board has');
    names.add(name);
    parseDeviceUri(uri);
  }
}

/** Errors: BAD_FILE. The HTTP server would throw for such a pair when the boards are open already. */
function checkTls(tls: HubOptions['tls']): void {
  if (tls === undefined) return;
  try {
    createSecureContext(tls);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new ThermolinkError('BAD_FILE', `The certificate and its key can't be used: ${problem}.`, {
      cause,
      hint: 'Both are PEM texts, the key without a passphrase. The key is that of the first certificate.',
    });
  }
}
