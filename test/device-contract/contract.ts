import type { DeviceUnderTest, RunningDevice } from './devices.js';
import type { RawHost } from './raw-host.js';

/**
 * What the suites need of a board under test. One board serves them all, one after another: each suite must
 * find it usable.
 */
export interface ContractBoard {
  readonly device: DeviceUnderTest;
  readonly running: () => RunningDevice;
  /** A host on a connection of its own, closed when the test ends. */
  readonly connect: () => Promise<RawHost>;
}
