import type { Verdict } from './serial-row.js';
import { SCORE } from './usb-fingerprints.js';

export interface AdviceRequest {
  readonly verdict: Verdict;
  readonly platform: NodeJS.Platform;
  readonly path: string;
  readonly uri: string;
  readonly score: number;
  readonly group?: string | undefined;
  readonly holders?: readonly string[];
}

/** Advice for a port on this platform, in one or two sentences. */
export function portAdvice(request: AdviceRequest): string {
  const { verdict, platform, score } = request;
  const uri = asArgument(request.uri);
  switch (verdict) {
    case 'ours':
      return `Connect to it as ${uri}${comNote(request)}`;
    case 'busy':
      return busyAdvice(request);
    case 'no permission':
      return deniedAdvice(request);
    case 'unknown':
      if (score === SCORE.none)
        return `Not on USB${platform === 'darwin' ? ' (Bluetooth, debug console)' : ''}: a board is there only if you connected it yourself.`;
      if (score === SCORE.stranger) return 'A device of this kind is not a board.';
      return `Boards and other devices have this chip; only the answer of the device tells which it is. Connect to it as ${uri}${comNote(request)}`;
  }
}

/** Quotes a device URI for a shell: zsh would treat an unquoted ? as a file name pattern, and fail. */
export function asArgument(uri: string): string {
  return /[?*&\s]/.test(uri) ? `"${uri}"` : uri;
}

function comNote({ platform, path }: AdviceRequest): string {
  const isHigh = platform === 'win32' && /^COM\d{2,}$/i.test(path);
  return isHigh ? ` (other programs may want it as \\\\.\\${path}; here ${path} is right).` : '.';
}

function busyAdvice({ platform, holders = [] }: AdviceRequest): string {
  if (holders.some((holder) => holder.startsWith('ModemManager')))
    return 'ModemManager is checking whether the device is a modem: wait some seconds, or exclude the device from these checks (docs/reference/devices.md).';
  if (holders.length > 0) return `Close ${holders.join(' and ')}, which holds the port.`;
  if (platform === 'linux')
    return 'Another program holds the port: close terminal programs. ModemManager releases a port after some seconds.';
  return 'Another program holds the port: close terminal programs and serial monitors.';
}

function deniedAdvice({ platform, path, group }: AdviceRequest): string {
  if (platform === 'win32')
    return 'Another program holds the port, which Windows calls access denied: close that program.';
  if (platform === 'darwin')
    return `Check the permissions of the port by ls -l ${path}. By default every user may open a port.`;
  if (group === undefined)
    return `Only root may open the port: add a udev rule for its group (docs/reference/devices.md), or pass the device to the container.`;
  return `Join the group ${group} (sudo usermod -aG ${group} $USER), then log out and in again.`;
}
