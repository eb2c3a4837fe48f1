import type { DeviceUnderTest, RunningDevice } from './devices.js';
import type { RawHost } from './raw-host.js';

/**
 * What the suites need from a board under test. All suites use the same board one after another, so each
 * suite must leave the board usable.
 */
export interface ContractBoard {
  readonly device: DeviceUnderTest;
  readonly running: () => RunningDevice;
  /** A host on a connection of its own, closed when the test ends. */
  readonly connect: () => Promise<RawHost>;
}
