"""The retransmission timeout from measured round trips (protocol.md, "Retransmission")."""

from typing import Optional

from .tables import TIMEOUT_MS_INITIAL, TIMEOUT_MS_MAX, TIMEOUT_MS_MIN

_BACKOFF_MAX = 6


class RoundTripEstimate:
    """RFC 6298 in whole microseconds. The caller measures only frames that were sent once (Karn's rule)."""

    def __init__(self) -> None:
        self._smoothed_us: Optional[int] = None
        self._variation_us = 0
        self._backoff = 0

    def measure(self, round_trip_ms: float) -> None:
        """Takes the time from the sending of a frame to its acknowledgement. The frame must have been sent
        only once."""
        us = max(0, int(round_trip_ms * 1000))
        if self._smoothed_us is None:
            self._smoothed_us = us
            self._variation_us = us // 2
        else:
            error = abs(self._smoothed_us - us)
            self._variation_us = (3 * self._variation_us + error) // 4
            self._smoothed_us = (7 * self._smoothed_us + us) // 8
        self._backoff = 0

    def back_off(self) -> None:
        """Doubles the next timeout, because this one has passed."""
        self._backoff = min(_BACKOFF_MAX, self._backoff + 1)

    @property
    def timeout_ms(self) -> int:
        """The timeout of a frame that is sent now, in ms."""
        base = TIMEOUT_MS_INITIAL
        if self._smoothed_us is not None:
            base = max(TIMEOUT_MS_MIN, (self._smoothed_us + 4 * self._variation_us) // 1000 + 1)
        return min(TIMEOUT_MS_MAX, base << self._backoff)
