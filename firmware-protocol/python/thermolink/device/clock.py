"""Time for waits: a monotonic clock, and deadlines."""

import time
from typing import Optional


def now_ms() -> float:
    """Monotonic time in ms."""
    return time.monotonic() * 1000.0


class Deadline:
    """The end of a wait. If `seconds` is None, there is no deadline."""

    def __init__(self, seconds: Optional[float]) -> None:
        self.seconds = seconds
        self._until = None if seconds is None else time.monotonic() + seconds

    @property
    def left(self) -> Optional[float]:
        """Seconds until the end, at least 0; None if there is no deadline."""
        return None if self._until is None else max(0.0, self._until - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether the end has passed."""
        return self._until is not None and time.monotonic() >= self._until

    def at_most(self, seconds: float) -> "Deadline":
        """The earlier of two times: this deadline, and `seconds` from now."""
        left = self.left
        return Deadline(seconds if left is None else min(left, seconds))
