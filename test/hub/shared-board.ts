import { type ConnectOptions, connect, openPort } from '../../src/connect.js';
import type { Device } from '../../src/driver/device.js';
import type { HubEvent } from '../../src/hub/api.js';
import { type Hub, type HubOptions, startHub } from '../../src/hub/hub-server.js';
import { diagonalProgram } from '../support/test-board.js';

/** A hub of a test, and what its observers would be told. */
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
        return new Promise((resolve) => {
          const tell = (event: HubEvent): void => {
            if (!fits(event)) return;
            waiting.delete(tell);
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
