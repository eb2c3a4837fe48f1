import type { Device } from '../../../driver/device.js';
import type { DeviceStatus } from '../../../driver/device-api.js';
import { boardCommand } from '../../board-command.js';

export const command = boardCommand({
  options: {},
  fallback: 'emulator:ideal-crossbar',
  example: `
Example:
  thermolink stop --device serial:/dev/ttyACM0

Opening a session ends the run of the session before it, and the stop switches the outputs off. A board over TCP that
serves another program answers BUSY. End that program: its board then goes to safe by itself.`,
  async run(_options, onBoard) {
    const { result: status, device } = await onBoard((board, { signal }) => stopBoard(board, signal));
    return { json: { device, status }, text: stoppedText(device, status) };
  },
});

/** Puts the board into `safe` and reads its status. Errors: those of a call on the device. */
export async function stopBoard(device: Device, signal: AbortSignal): Promise<DeviceStatus> {
  await device.stop({ signal });
  return device.readStatus({ signal });
}

/** The output after a stop. */
export function stoppedText(device: string, { state, fault }: DeviceStatus): string {
  if (state === 'fault') return `${device} has the latched fault ${fault}; its outputs are off.\n`;
  return `${device} is in ${state}: its outputs are off.\n`;
}
