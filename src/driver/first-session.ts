import type { Clock } from '../../firmware-protocol/clock.js';
import type { Port } from '../../firmware-protocol/port.js';
import { ThermolinkError, throwIfAborted } from '../errors.js';
import { Device, type OpenOptions } from './device.js';
import { type DeviceEvent, pause, type ReconnectOptions, searchTimes, teller } from './reconnect.js';
import { SYSTEM_CLOCK } from './system-clock.js';

/**
 * Opens a session on `port`. `reconnect` looks for the board whenever its port is lost. Unless `retry` is
 * false, it does so before the first session is open, too. Errors: those of `Device.open`, and of opening the
 * port again.
 */
export function openLastingDevice(
  port: Port,
  reconnect: ReconnectOptions,
  options: Omit<OpenOptions, 'reconnect'>,
): Promise<Device> {
  const { clock = SYSTEM_CLOCK, signal, log, onEvent, retry } = options;
  const openOn = (found: Port): Promise<Device> => Device.open(found, { ...options, reconnect });
  if (retry === false) return openOn(port);
  return openFirstSession(
    () => openOn(port),
    async () => openOn(await reconnect.openPort(signal ?? new AbortController().signal)),
    { clock, signal, reconnect, tell: teller(log, onEvent) },
  );
}

/** Options of opening a device again when its port is lost before the first session is open. */
export interface FirstSessionOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  readonly reconnect: ReconnectOptions;
  readonly tell: (event: DeviceEvent) => void;
}

/**
 * Calls `open` for the first session. If the port is lost meanwhile, it opens another port and calls `open`
 * on it. Pauses and time limit are those of a board that is lost later. Errors: any other error of `open`, at
 * once; the last one when the time is up; ABORTED.
 */
export async function openFirstSession(
  open: () => Promise<Device>,
  openAgain: () => Promise<Device>,
  { clock, signal, reconnect, tell }: FirstSessionOptions,
): Promise<Device> {
  const { delayMsFirst, delayMsMax, giveUpMs } = searchTimes(reconnect);
  let reason: unknown;
  try {
    return await open();
  } catch (error) {
    if (!isPortLost(error)) throw error;
    reason = error;
    tell({ kind: 'disconnected', reason: error });
  }
  const untilMs = clock.nowMs() + giveUpMs;
  let delayMs = delayMsFirst;
  for (let attempt = 1; clock.nowMs() < untilMs; attempt++) {
    await pause(clock, delayMs, signal);
    throwIfAborted(signal);
    delayMs = Math.min(delayMsMax, 2 * delayMs);
    tell({ kind: 'reconnecting', attempt });
    try {
      const device = await openAgain();
      tell({ kind: 'reconnected', attempt });
      return device;
    } catch (error) {
      if (!isPortLost(error) && !isAway(error)) throw error;
      reason = error;
    }
  }
  throw reason;
}

function isPortLost(error: unknown): error is ThermolinkError {
  return error instanceof ThermolinkError && error.code === 'LINK_LOST';
}

/** Whether an error says that a port cannot be opened at the moment. It may come back. */
function isAway(error: unknown): boolean {
  return (
    error instanceof ThermolinkError &&
    ['PORT_NOT_FOUND', 'PORT_BUSY', 'BUSY', 'NO_ANSWER'].includes(error.code)
  );
}
