/** Bounds of the retransmission timeout (protocol.md, "Retransmission"). */
export const TIMEOUT_MS_INITIAL = 250;
export const TIMEOUT_MS_MIN = 30;
export const TIMEOUT_MS_MAX = 2000;

/**
 * The retransmission timeout from measured round trips: RFC 6298 in whole microseconds. The caller follows
 * Karn's rule: it measures only frames that were sent once.
 */
export class RoundTripEstimate {
  #smoothedUs = -1;
  #variationUs = 0;
  #backoff = 0;

  /**
   * Takes the time from the sending of a frame to its acknowledgement. The frame must have been sent only
   * once.
   */
  measure(roundTripMs: number): void {
    const us = Math.max(0, Math.floor(roundTripMs * 1000));
    if (this.#smoothedUs < 0) {
      this.#smoothedUs = us;
      this.#variationUs = Math.floor(us / 2);
    } else {
      const error = Math.abs(this.#smoothedUs - us);
      this.#variationUs = Math.floor((3 * this.#variationUs + error) / 4);
      this.#smoothedUs = Math.floor((7 * this.#smoothedUs + us) / 8);
    }
    this.#backoff = 0;
  }

  /** Doubles the next timeout, because this one has passed. */
  backOff(): void {
    if (this.#backoff < 6) this.#backoff++;
  }

  /** The smoothed round trip, or undefined before the first measurement. */
  get roundTripMs(): number | undefined {
    return this.#smoothedUs < 0 ? undefined : this.#smoothedUs / 1000;
  }

  get timeoutMs(): number {
    const base =
      this.#smoothedUs < 0
        ? TIMEOUT_MS_INITIAL
        : Math.max(TIMEOUT_MS_MIN, Math.floor((this.#smoothedUs + 4 * this.#variationUs) / 1000) + 1);
    return Math.min(TIMEOUT_MS_MAX, base * (1 << this.#backoff));
  }
}
