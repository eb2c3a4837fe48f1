import type { DeviceUnderTest, RunningDevice } from './devices.js';
import type { RawHost } from './raw-host.js';

/** What the suites ask of a board. One board serves them all, one after another: each must find it usable. */
export interface ContractBoard {
  readonly device: DeviceUnderTest;
  readonly running: () => RunningDevice;
  /** A host on a connection of its own, closed when the test ends. */
  readonly connect: () => Promise<RawHost>;
}
