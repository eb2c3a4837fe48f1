import { expect, it } from 'vitest';
import type { DeviceIdentity } from '../../src/driver/device-api.js';
import { boardKey } from '../../src/farm/index.js';

/** Whether a board has the same key for workers on two machines. */
function isSameOnTwoMachines(uri: string): boolean {
  const identity = { model: 'ideal-8', serialNumber: '7' } as DeviceIdentity;
  const [first, second] = ['first', 'second'].map((machine) => boardKey(uri, identity, 'worker', 0, machine));
  return first === second;
}

it.each(['tcp://lab:7700', 'hub://lab:7780/board', 'hubs://lab:7780/board'])(
  'a board with the network address %s has one key on all machines',
  (uri) => expect(isSameOnTwoMachines(uri)).toBe(true),
);

it.each(['tcp://127.0.0.1:7700', 'tcp://localhost:7700', 'hub://[::1]:7780/board', 'serial:/dev/ttyACM0'])(
  'the board %s has another key on another machine',
  (uri) => expect(isSameOnTwoMachines(uri)).toBe(false),
);
