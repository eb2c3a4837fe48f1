import type { DeviceUnderTest, RunningDevice } from './devices.js';
import type { RawHost } from './raw-host.js';

/**
 * The needs of the suites from a board under test. All suites use one board, one after another, so each must
 * leave it usable.
 */
export interface ContractBoard {
  readonly device: DeviceUnderTest;
  readonly running: () => RunningDevice;
  /** A host on a connection of its own, closed when the test ends. */
  readonly connect: () => Promise<RawHost>;
}
