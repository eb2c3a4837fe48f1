"""The sending half of go-back-N. It knows which frames wait, which are in flight, and when they are sent
again (protocol.md, "Commands: delivered in order, once")."""

from collections import deque
from dataclasses import dataclass
from typing import Deque, List, Optional

from .round_trip import RoundTripEstimate
from .tables import COMMAND_QUEUE_MAX, FRAME_BYTES_BEFORE_HELLO, FRAME_OVERHEAD_BYTES, RETRIES_MAX


@dataclass(frozen=True)
class LinkLimits:
    """The limits of the other end, as its answer to HELLO tells them: bytes of a frame, command frames and
    bytes in flight."""

    frame_bytes: int = FRAME_BYTES_BEFORE_HELLO
    window: int = 1
    in_flight_bytes: int = FRAME_BYTES_BEFORE_HELLO


@dataclass
class InFlight:
    """A command frame that is not acknowledged."""

    seq: int
    payload: bytes
    sent_at_ms: float = 0.0
    sendings: int = 0

    @property
    def frame_bytes(self) -> int:
        """Header, payload and CRC, before COBS."""
        return len(self.payload) + FRAME_OVERHEAD_BYTES


class CommandSender:
    """Sends commands in order until they are acknowledged. `counters` are those of the link."""

    def __init__(self, counters: dict) -> None:
        self._counters = counters
        self.begin(LinkLimits())

    def begin(self, limits: LinkLimits) -> None:
        """Begins a session: numbers start at 0 and the queue is emptied (protocol.md, "Opening a
        session")."""
        self._limits = limits
        self._queue: Deque[bytes] = deque()
        self._in_flight: List[InFlight] = []
        # Index in _in_flight of the frame to send next, or to send again.
        self._cursor = 0
        self.next_seq = 0
        self._retries = 0
        self._round_trip = RoundTripEstimate()

    def resume(self) -> None:
        """Sends every unacknowledged frame again, because the other side has shown that it is alive."""
        self._retries = 0
        self._cursor = 0

    @property
    def can_send(self) -> bool:
        """Whether another message can be queued."""
        return len(self._queue) < COMMAND_QUEUE_MAX

    @property
    def failed(self) -> bool:
        """Whether the link has failed. A failed link sends no command until `resume` is called (protocol.md,
        "Retransmission")."""
        return self._retries >= RETRIES_MAX

    def send(self, payload: bytes) -> None:
        """Queues a message. Check `can_send` first."""
        assert self.can_send, "command queue overrun"
        self._queue.append(payload)

    def take_ack(self, ack: int, is_nak: bool, now_ms: float) -> None:
        """Takes an acknowledgement (protocol.md, "Acknowledgements"). A nak asks for all later frames
        again."""
        first = self._in_flight[0].seq if self._in_flight else self.next_seq
        count = (ack - first + 1) & 0xFFFF
        # An older acknowledgement changes nothing. An acknowledgement of a frame that was never sent is an
        # error, and is ignored.
        if count > len(self._in_flight) or (count > 0 and self._in_flight[count - 1].sendings == 0):
            if count < 0x8000:
                self._counters["acks_invalid"] += 1
            return
        if count > 0:
            newest = self._in_flight[count - 1]
            if newest.sendings == 1:
                self._round_trip.measure(now_ms - newest.sent_at_ms)
            del self._in_flight[:count]
            self._cursor = max(0, self._cursor - count)
            self._retries = 0
        if is_nak:
            self._counters["naks_received"] += 1
            self._cursor = 0

    def next(self, now_ms: float) -> Optional[InFlight]:
        """The next frame to send, or None."""
        self._check_timeout(now_ms)
        self._fill_window()
        if self.failed or self._cursor >= len(self._in_flight):
            return None
        command = self._in_flight[self._cursor]
        self._cursor += 1
        if command.sendings > 0:
            self._counters["retransmissions"] += 1
        command.sendings += 1
        command.sent_at_ms = now_ms
        return command

    @property
    def next_timeout_ms(self) -> Optional[float]:
        """The time at which the oldest unacknowledged frame is sent again, or None."""
        if self.failed or not self._in_flight or self._in_flight[0].sendings == 0:
            return None
        return self._in_flight[0].sent_at_ms + self._round_trip.timeout_ms

    def _check_timeout(self, now_ms: float) -> None:
        due_ms = self.next_timeout_ms
        if due_ms is None or now_ms < due_ms or self._cursor == 0:
            return
        self._retries += 1
        self._round_trip.back_off()
        self._cursor = 0

    def _fill_window(self) -> None:
        in_flight_bytes = sum(frame.frame_bytes for frame in self._in_flight)
        while self._queue and len(self._in_flight) < self._limits.window:
            frame = InFlight(self.next_seq, self._queue[0])
            in_flight_bytes += frame.frame_bytes
            if self._in_flight and in_flight_bytes > self._limits.in_flight_bytes:
                return
            self._queue.popleft()
            self._in_flight.append(frame)
            self.next_seq = (self.next_seq + 1) & 0xFFFF
