import type { DeviceEvent } from '../../driver/reconnect.js';

/** A line for people about what happens to the connection. */
export function describeDeviceEvent(event: DeviceEvent): string {
  switch (event.kind) {
    case 'disconnected':
      return `Board lost: ${event.reason.message} Looking for it ...`;
    case 'reconnecting':
      return `Looking for the board, attempt ${event.attempt} ...`;
    case 'resumed':
      return 'Board found again; the session goes on, nothing was lost.';
    case 'sessionLost':
      return event.error.message;
    case 'reconnected':
      return 'Board found again, in a new session.';
    case 'gaveUp':
      return event.error.message;
    case 'repeating':
      return `${event.reason.message} What was lost is done again (repeat ${event.count}) ...`;
  }
}
