import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FLAG_NAK } from '../../firmware-protocol/framing.js';
import { RETRIES_MAX } from '../../firmware-protocol/link/command-sender.js';
import {
  RoundTripEstimate,
  TIMEOUT_MS_INITIAL,
  TIMEOUT_MS_MAX,
  TIMEOUT_MS_MIN,
} from '../../firmware-protocol/link/round-trip.js';
import { openLink, peerFrame, received, said, sendTexts, seqs } from '../support/link-frames.js';

/** RFC 6298, section 2, as it is written. */
function rfc6298(roundTripsMs: readonly number[]): number {
  let srtt = roundTripsMs[0];
  let rttvar = roundTripsMs[0] / 2;
  for (const r of roundTripsMs.slice(1)) {
    rttvar = (1 - 1 / 4) * rttvar + (1 / 4) * Math.abs(srtt - r);
    srtt = (1 - 1 / 8) * srtt + (1 / 8) * r;
  }
  return Math.min(TIMEOUT_MS_MAX, Math.max(TIMEOUT_MS_MIN, srtt + 4 * rttvar));
}

describe('estimate', () => {
  test('equals RFC 6298 to a millisecond for any round trips', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 800_000 }), { minLength: 1, maxLength: 30 }), (us) => {
        const estimate = new RoundTripEstimate();
        for (const roundTrip of us) estimate.measure(roundTrip / 1000);
        // The timeout may be longer by one millisecond of clock granularity and by integer rounding.
        const wanted = rfc6298(us.map((value) => value / 1000));
        expect(estimate.timeoutMs).toBeGreaterThanOrEqual(wanted - 0.1);
        expect(estimate.timeoutMs).toBeLessThanOrEqual(wanted + 1.1);
      }),
      { seed: 20240608, numRuns: 500 },
    );
  });

  test('begins with a guess, doubles at every expiry up to its maximum, and is replaced by a measurement', () => {
    const estimate = new RoundTripEstimate();
    const seen = [estimate.timeoutMs];
    for (let i = 0; i < 5; i++) {
      estimate.backOff();
      seen.push(estimate.timeoutMs);
    }
    expect(seen).toEqual([250, 500, 1000, 2000, 2000, 2000]);
    estimate.measure(100);
    expect(estimate.timeoutMs).toBe(301);
    estimate.backOff();
    expect(estimate.timeoutMs).toBe(602);
    for (let i = 0; i < 1000; i++) estimate.backOff();
    expect(estimate.timeoutMs).toBe(TIMEOUT_MS_MAX);
  });

  test('is never below its minimum, even after round trips of 0 ms', () => {
    const estimate = new RoundTripEstimate();
    for (let i = 0; i < 50; i++) estimate.measure(0);
    expect(estimate.timeoutMs).toBe(TIMEOUT_MS_MIN);
    expect(estimate.roundTripMs).toBe(0);
  });
});

/** Polls when the link asks for it. Returns the times at which the link sent a frame. */
function timesOfSending(
  untilMs: number,
  link = openLink({ window: 2 }),
): { link: typeof link; times: number[] } {
  const times: number[] = [];
  for (let nowMs: number | undefined = 0; nowMs !== undefined && nowMs <= untilMs; nowMs = link.nextTimeoutMs)
    if (said(link, nowMs).length > 0) times.push(nowMs);
  return { link, times };
}

describe('retransmission', () => {
  test('without an answer, comes after 250, 500, 1000 and then every 2000 ms, and ends', () => {
    const link = openLink({ window: 2 });
    sendTexts(link, 'a', 'b', 'c');
    const { times } = timesOfSending(1e6, link);
    const gaps = times.slice(1).map((time, i) => time - times[i]);
    expect(gaps).toEqual([250, 500, 1000, 2000, 2000, 2000, 2000]);
    expect(gaps.length).toBe(RETRIES_MAX - 1);
    expect([link.failed, link.nextTimeoutMs]).toEqual([true, undefined]);
    expect(said(link, 1e7)).toEqual([]);
    // Each attempt sends both frames of the window.
    expect(link.counters).toMatchObject({
      framesSent: 2 * RETRIES_MAX,
      retransmissions: 2 * (RETRIES_MAX - 1),
    });
  });

  test('never comes before it is due', () => {
    const link = openLink();
    sendTexts(link, 'a');
    expect(seqs(said(link, 100))).toEqual([0]);
    expect(link.nextTimeoutMs).toBe(100 + TIMEOUT_MS_INITIAL);
    expect(said(link, 349)).toEqual([]);
    expect(seqs(said(link, 350))).toEqual([0]);
  });

  test('an acknowledgement starts the count of retries again', () => {
    const link = openLink({ window: 1 });
    sendTexts(link, 'a', 'b');
    let nowMs = 0;
    const expire = (times: number) => {
      for (let i = 0; i < times; i++) {
        nowMs = link.nextTimeoutMs ?? nowMs;
        said(link, nowMs);
      }
    };
    said(link, nowMs);
    expire(RETRIES_MAX - 1);
    received(link, peerFrame({ ack: 0 }), nowMs);
    said(link, nowMs);
    expire(RETRIES_MAX - 1);
    expect(link.failed).toBe(false);
    expire(1);
    expect(link.failed).toBe(true);
  });

  test('only frames that were sent once are measured (Karn)', () => {
    const link = openLink({ window: 1 });
    sendTexts(link, 'a', 'b');
    said(link, 0);
    said(link, 250);
    received(link, peerFrame({ ack: 0 }), 253);
    expect(link.roundTripMs).toBeUndefined();
    // The longer timeout stays until a measurement.
    said(link, 253);
    expect(link.nextTimeoutMs).toBe(253 + 2 * TIMEOUT_MS_INITIAL);
    received(link, peerFrame({ ack: 1 }), 293);
    expect(link.roundTripMs).toBe(40);
    sendTexts(link, 'c');
    said(link, 300);
    expect(link.nextTimeoutMs).toBe(300 + 40 + 4 * 20 + 1);
  });

  test('a frame asked for again by a nak is not measured either', () => {
    const link = openLink();
    sendTexts(link, 'a', 'b');
    said(link, 0);
    received(link, peerFrame({ ack: 65535, flags: FLAG_NAK }), 5);
    expect(seqs(said(link, 5))).toEqual([0, 1]);
    received(link, peerFrame({ ack: 1 }), 10);
    expect(link.roundTripMs).toBeUndefined();
  });

  test('without unacknowledged frames there is no timeout', () => {
    const link = openLink();
    expect(link.nextTimeoutMs).toBeUndefined();
    sendTexts(link, 'a');
    expect(link.nextTimeoutMs).toBeUndefined();
    said(link, 0);
    received(link, peerFrame({ ack: 0 }), 1);
    expect(link.nextTimeoutMs).toBeUndefined();
  });
});
