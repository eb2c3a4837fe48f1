import { DEVICE_STATE } from '../../../firmware-protocol/device-status.js';
import { faultyFrames } from '../../../firmware-protocol/link/counters.js';
import { stateDigest } from '../../state-digest.js';
import type { Handlers } from './handlers.js';

/**
 * The sensor readings of every emulated board: 300 K and 5 V (protocol.md, "Sensors and light"). The fault
 * `thermalDrift` adds to the temperature.
 */
const DIE_TEMPERATURE_MILLIKELVIN = 300_000;
const SUPPLY_MILLIVOLTS = 5000;

export const systemHandlers = {
  ping: (context, { token }) => ({ token, deviceTimeUs: Math.floor(context.nowMs * 1000) }),

  readStatus({ board, session }) {
    const digest = stateDigest(board.cells, board.tick);
    return {
      state: DEVICE_STATE[board.state],
      fault: board.fault,
      nonce: session.nonce,
      bootEpoch: board.bootEpoch,
      runId: board.runId,
      tick: board.tick,
      stopNumber: board.stopNumber,
      committedBanks: board.memory.committedBanks,
      stateDigest: Uint8Array.of(digest, digest >>> 8, digest >>> 16, digest >>> 24),
    };
  },

  readCounters({ board, link }) {
    const { counters } = link;
    return {
      framesReceived: counters.framesReceived,
      framesSent: counters.framesSent,
      framesFaulty: faultyFrames(counters),
      framesForeign: counters.framesForeign,
      framesDuplicate: counters.framesDuplicate,
      framesOutOfOrder: counters.framesOutOfOrder,
      retransmissions: counters.retransmissions,
      messagesRejected: counters.messagesRejected,
      samplesLost: board.samplesLost,
      watchdogTrips: board.watchdogTrips,
      naksReceived: counters.naksReceived,
      naksSent: counters.naksSent,
    };
  },

  identify({ board, nowMs }, { durationMs }) {
    board.identifyUntilMs = nowMs + durationMs;
    return {};
  },

  readSensors: ({ board }) => ({
    dieTemperatureMillikelvin: DIE_TEMPERATURE_MILLIKELVIN + board.faults.heatMillikelvin,
    supplyMillivolts: SUPPLY_MILLIVOLTS,
  }),

  acknowledge({ board }) {
    board.input('acknowledged');
    board.fault = 0;
    return { state: DEVICE_STATE[board.state] };
  },

  reset(context) {
    context.board.input('reset');
    context.resetAfterAnswer();
    return {};
  },
} satisfies Partial<Handlers>;
