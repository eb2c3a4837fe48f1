import { request } from 'node:http';
import { WebSocket } from 'ws';
import { type ConnectOptions, connect, openPort } from '../../src/connect.js';
import type { Device } from '../../src/driver/device.js';
import type { HubEvent } from '../../src/hub/api.js';
import type { Hub, HubOptions } from '../../src/hub/hub-options.js';
import { startHub } from '../../src/hub/start-hub.js';
import { diagonalProgram } from '../support/test-board.js';

/** The longest time that a test waits for an event, on a machine with other work. */
const EVENT_MS = 50_000;

/** A hub of a test, and the events that its observers would get. */
export interface TestHub extends Hub {
  readonly events: HubEvent[];
  /** Resolves with the first event from number `first` on that fits. */
  event(fits: (event: HubEvent) => boolean, first?: number): Promise<HubEvent>;
  /** The device URI of the board `a`, with parameters. */
  uri(parameters?: string): string;
}

/** Runs `test` with a hub that shares one emulated board `a`, in this thread. */
export async function withHub(
  test: (hub: TestHub) => Promise<void>,
  options: Partial<HubOptions> = {},
): Promise<void> {
  const events: HubEvent[] = [];
  const waiting = new Set<(event: HubEvent) => void>();
  const hub = await startHub({
    devices: [{ name: 'a', uri: 'emulator:ideal-8' }],
    version: 'test',
    openPort: (uri, open) => openPort(uri, { ...open, ownThread: false }),
    onEvent: (event) => {
      events.push(event);
      for (const tell of waiting) tell(event);
    },
    ...options,
  });
  try {
    await test({
      ...hub,
      events,
      uri: (parameters = '') => `${hub.uris.get('a')}${parameters}`,
      event: (fits, first = 0) => {
        const known = events.slice(first).find(fits);
        if (known !== undefined) return Promise.resolve(known);
        return new Promise((resolve, reject) => {
          const timer = setTimeout(() => {
            waiting.delete(tell);
            reject(new Error(`no such event within ${EVENT_MS} ms`));
          }, EVENT_MS);
          const tell = (event: HubEvent): void => {
            if (!fits(event)) return;
            waiting.delete(tell);
            clearTimeout(timer);
            resolve(event);
          };
          waiting.add(tell);
        });
      },
    });
  } finally {
    await hub.close();
  }
}

/** Opens a shared board, without looking for it again when it is lost. */
export function drive(uri: string, options: ConnectOptions = {}): Promise<Device> {
  return connect(uri, { reconnect: false, ...options });
}

/** A run that does not end by itself while the test lasts. */
export async function runForLong(device: Device) {
  await device.loadProgram(0, diagonalProgram(8));
  return device.run({
    bank: 0,
    runSeed: 1,
    burnInTicks: Number.MAX_SAFE_INTEGER - 1,
    sampleCount: 0,
    ticksPerSample: 0,
  });
}

/** Asks the hub. Node's `fetch` would set headers of its own. */
export function ask(
  { url }: Pick<Hub, 'url'>,
  method: string,
  pathname: string,
  body?: unknown,
  headers: Record<string, string> = {},
) {
  return new Promise<{ readonly status?: number; readonly body?: unknown; readonly bytes?: Buffer }>(
    (resolve, reject) => {
      const asked = request(`${url}${pathname}`, { method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const isJson = response.headers['content-type']?.startsWith('application/json');
          resolve({
            ...(response.statusCode !== undefined && { status: response.statusCode }),
            ...(isJson ? { body: JSON.parse(bytes.toString()) } : { bytes }),
          });
        });
      });
      asked.on('error', reject);
      asked.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
    },
  );
}

/** Watches the hub as a page does. */
export async function observe({ url }: Pick<Hub, 'url'>, token = '') {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/api/events`);
  const events: HubEvent[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (data: Buffer) => {
    events.push(JSON.parse(data.toString()) as HubEvent);
    for (const tell of [...waiting]) tell();
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.send(JSON.stringify({ token }));
  const until = (fits: (event: HubEvent) => boolean): Promise<HubEvent> =>
    new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        waiting.delete(look);
        clearTimeout(timer);
        reject(new Error(why));
      };
      const timer = setTimeout(() => fail(`no such event within ${EVENT_MS} ms`), EVENT_MS);
      socket.once('close', (_, reason) => fail(`closed: ${reason.toString()}`));
      let seen = 0;
      const look = (): void => {
        while (seen < events.length) {
          const event = events[seen++];
          if (!fits(event)) continue;
          waiting.delete(look);
          clearTimeout(timer);
          resolve(event);
          return;
        }
      };
      waiting.add(look);
      look();
    });
  await until((event) => event.type === 'hello');
  return { socket, events, until };
}
