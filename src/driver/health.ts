import { faultyFrames, type LinkCounters } from '../../firmware-protocol/link/counters.js';
import type { Connection } from './connection.js';
import type { Logger } from './logger.js';

const INTERVAL_MS = 1000;

/** The figures that are logged each second. */
interface Health {
  readonly framesReceived: number;
  readonly framesSent: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly faults: number;
  readonly retransmissions: number;
  readonly sampleFramesLost: number;
}

function healthOf(counters: LinkCounters): Health {
  const { framesReceived, framesSent, bytesReceived, bytesSent, retransmissions, sampleFramesLost } =
    counters;
  const faults = faultyFrames(counters) + counters.messagesRejected;
  return { framesReceived, framesSent, bytesReceived, bytesSent, faults, retransmissions, sampleFramesLost };
}

/**
 * Logs each second, at level debug, what the link did in that second. It does nothing when that level is off.
 * The returned function ends it.
 */
export function logHealth(connection: Connection, log: Logger): () => void {
  if (!log.isLevelEnabled('debug')) return () => undefined;
  let before = healthOf(connection.link.counters);
  let cancel = (): void => undefined;
  const next = (): void => {
    cancel = connection.clock.schedule(INTERVAL_MS, () => {
      const { link, suspended } = connection;
      const now = healthOf(link.counters);
      const second = Object.fromEntries(
        Object.entries(now).map(([name, count]) => [name, count - before[name as keyof Health]]),
      );
      before = now;
      const { unacknowledged, unsequencedQueued, roundTripMs } = link;
      log.debug({ ...second, unacknowledged, unsequencedQueued, roundTripMs, suspended }, 'link health');
      if (!connection.failure) next();
    });
  };
  next();
  return () => cancel();
}
