import type { DeviceStateName } from '../../../../firmware-protocol/device-status.js';
import type { Device } from '../../../driver/device.js';
import { boardCommand } from '../../board-command.js';

/** The result of acknowledging. */
export interface Acknowledged {
  readonly before: DeviceStateName;
  /** The fault that was latched before; `none` if no fault was latched. */
  readonly fault: string;
  readonly after: DeviceStateName;
}

export const command = boardCommand({
  options: {},
  fallback: 'emulator:ideal-crossbar',
  example: `
Example:
  thermolink acknowledge --device serial:/dev/ttyACM0

Clears a latched fault or an overload, and leaves the state safe. Remove the cause of a fault first. A fault or a stop
may invalidate the programs in the board. The next command that needs a program loads it again.`,
  async run(_options, onBoard) {
    const { result, device } = await onBoard((board, { signal }) => acknowledgeBoard(board, signal));
    return { json: { device, ...result }, text: acknowledgedText(device, result) };
  },
});

/**
 * Acknowledges. A latched fault leads to `safe` first, which is then acknowledged too. Errors: those of a
 * call on the device; DEVICE_REFUSED while the cause of a fault lasts.
 */
export async function acknowledgeBoard(device: Device, signal: AbortSignal): Promise<Acknowledged> {
  const { state: before, fault } = await device.readStatus({ signal });
  let after = await device.acknowledge({ signal });
  if (before === 'fault' && after === 'safe') after = await device.acknowledge({ signal });
  return { before, fault, after };
}

/** The output after acknowledging. */
export function acknowledgedText(device: string, { before, fault, after }: Acknowledged): string {
  const was = fault === 'none' ? before : `${before} (${fault})`;
  return before === after
    ? `${device} is in ${after}: there was nothing to acknowledge.\n`
    : `${device} was in ${was} and is in ${after} now.\n`;
}
