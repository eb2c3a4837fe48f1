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

/** Says what to do about a port on this platform, in a sentence or two. */
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
        return `Not on USB${platform === 'darwin' ? ' (Bluetooth, debug console)' : ''}: a board hangs there only if you wired it so.`;
      if (score === SCORE.stranger) return 'A kind of device that is no board.';
      return `Its chip does not tell a board from another device: only its answer does. Connect to it as ${uri}${comNote(request)}`;
  }
}

/** Quotes a device URI for a shell: zsh takes a bare ? for a pattern of file names, and fails. */
export function asArgument(uri: string): string {
  return /[?*&\s]/.test(uri) ? `"${uri}"` : uri;
}

function comNote({ platform, path }: AdviceRequest): string {
  const isHigh = platform === 'win32' && /^COM\d{2,}$/i.test(path);
  return isHigh ? ` (other programs may want it as \\\\.\\${path}; here ${path} is right).` : '.';
}

function busyAdvice({ platform, holders = [] }: AdviceRequest): string {
  if (holders.some((holder) => holder.startsWith('ModemManager')))
    return 'ModemManager is trying whether it is a modem: wait some seconds, or tell it to keep off (docs/reference/devices.md).';
  if (holders.length > 0) return `Close ${holders.join(' and ')}, which holds it.`;
  if (platform === 'linux')
    return 'Another program holds it: close terminal programs; ModemManager lets go after some seconds.';
  return 'Another program holds it: close terminal programs and serial monitors.';
}

function deniedAdvice({ platform, path, group }: AdviceRequest): string {
  if (platform === 'win32') return 'Another program holds it, which Windows calls access denied: close it.';
  if (platform === 'darwin')
    return `Look at its permissions by ls -l ${path}; by default everybody may open a port.`;
  if (group === undefined)
    return `Only root may open it: add a udev rule for its group (docs/reference/devices.md), or pass it to the container.`;
  return `Join the group ${group} (sudo usermod -aG ${group} $USER), then log out and in again.`;
}
