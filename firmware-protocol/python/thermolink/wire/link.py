"""The link: a state machine that takes bytes and the time, and gives messages and bytes to write. It does no
input or output and has no clock."""

from collections import deque
from typing import Deque, Iterator, Optional, Tuple, Union

from .command_sender import CommandSender, LinkLimits
from .frames import Fault, Frame, FrameDecoder, seal_frame
from .tables import CHANNEL, FLAG_NAK, FRAME_OVERHEAD_BYTES, UNSEQUENCED_QUEUE_MAX

_OPEN, _COMMAND, _SAMPLE, _STOP = (CHANNEL[name] for name in ("open", "command", "sample", "stop"))
_COUNTERS = (
    "frames_sent",
    "frames_received",
    "frames_foreign",
    "frames_duplicate",
    "frames_out_of_order",
    "sample_frames_lost",
    "retransmissions",
    "naks_sent",
    "naks_received",
    "acks_invalid",
    "cobs",
    "short",
    "oversize",
    "crc",
    "header",
)


class Link:
    """The host's end. Messages of the command channel arrive in order and once within a session. The link
    sends any other message once, and counts lost frames of the sample channel. The caller repeats a stop or
    HELLO until it is answered."""

    def __init__(self, frame_bytes_max: int) -> None:
        self.counters = {name: 0 for name in _COUNTERS}
        self.last_heard_ms: Optional[float] = None
        self._decoder = FrameDecoder(frame_bytes_max)
        self._commands = CommandSender(self.counters)
        self._held = False
        self._begin(None, LinkLimits())

    def open_session(self, nonce: bytes, limits: LinkLimits) -> None:
        """Opens a session. The link forgets the earlier session, including its queue."""
        self._begin(nonce[0], limits)

    def close_session(self) -> None:
        """Ends the session. Until a new session is opened, only stop and HELLO are sent."""
        self._begin(None, LinkLimits())

    def hold(self) -> None:
        """Sends nothing but HELLO and stop until the session is resumed (protocol.md, "Resuming a
        session")."""
        self._held = True

    def resume_session(self) -> None:
        """Continues the session: sends every unacknowledged frame again."""
        self._held = False
        self._commands.resume()

    def _begin(self, session: Optional[int], limits: LinkLimits) -> None:
        self._session = session
        self._held = False
        self._limits = limits
        self._commands.begin(limits)
        self._stop: Optional[bytes] = None
        self._open: Optional[bytes] = None
        self._samples: Deque[bytes] = deque()
        self._sample_seq_out = self._stop_seq_out = self._sample_seq_in = 0
        self._expected_seq = 0
        self._ack_owed = self._nak_owed = self._nak_sent = False
        self.last_heard_ms = None

    @property
    def payload_bytes_max(self) -> int:
        """Longest payload that one frame to the other side can carry."""
        return self._limits.frame_bytes - FRAME_OVERHEAD_BYTES

    @property
    def can_send(self) -> bool:
        """Whether another command can be queued."""
        return self._commands.can_send

    @property
    def failed(self) -> bool:
        """Whether the other side has stopped acknowledging (protocol.md, "Retransmission")."""
        return self._commands.failed

    @property
    def pending_head(self) -> bytes:
        """The first bytes of a frame that is not complete."""
        return self._decoder.pending_head

    def send_command(self, payload: bytes) -> None:
        """Queues a message of the command channel. Check `can_send` first."""
        assert len(payload) <= self.payload_bytes_max, "payload longer than a frame"
        self._commands.send(payload)

    def send_stop(self, payload: bytes) -> None:
        """Queues a stop. It replaces an older one that still waits."""
        self._stop = payload

    def send_open(self, payload: bytes) -> None:
        """Queues a HELLO. It replaces an older one that still waits."""
        self._open = payload

    def send_sample(self, payload: bytes) -> bool:
        """Queues a message of the sample channel; False when there is no room."""
        if len(self._samples) >= UNSEQUENCED_QUEUE_MAX:
            return False
        self._samples.append(payload)
        return True

    def keep_alive(self) -> None:
        """Makes `poll` give a frame even if no message waits. The frame feeds the watchdog of the board
        (protocol.md, "Watchdog and reset")."""
        self._ack_owed = True

    def receive(self, chunk: bytes, now_ms: float) -> Iterator[Union[Tuple[int, bytes], Fault]]:
        """Yields (channel, payload) of each message, and faults, in order. Each is handed over before the
        next frame is examined, because a HELLO decides to which session the frames after it belong."""
        for item in self._decoder.push(chunk):
            if isinstance(item, Fault):
                self.counters[item.kind] += 1
                yield item
                continue
            if item.channel != _OPEN and item.session != self._session:
                self.counters["frames_foreign"] += 1
                continue
            self.counters["frames_received"] += 1
            if item.channel != _OPEN:
                self.last_heard_ms = now_ms
                if self._commands.failed:
                    self._commands.resume()
            if self._accepts(item, now_ms):
                yield item.channel, item.payload

    def _accepts(self, frame: Frame, now_ms: float) -> bool:
        """Takes the acknowledgement and the number in the header. Returns whether the frame carries a message
        to deliver."""
        if frame.channel == _OPEN:
            return len(frame.payload) > 0
        self._commands.take_ack(frame.ack, frame.flags & FLAG_NAK != 0, now_ms)
        if len(frame.payload) == 0:
            return False
        if frame.channel == _STOP:
            return True
        if frame.channel == _SAMPLE:
            skipped = (frame.seq - self._sample_seq_in) & 0xFFFF
            if skipped < 0x8000:
                self.counters["sample_frames_lost"] += skipped
                self._sample_seq_in = (frame.seq + 1) & 0xFFFF
            return True
        return self._accepts_command(frame)

    def _accepts_command(self, frame: Frame) -> bool:
        # Go-back-N takes only the expected frame (protocol.md, "Acknowledgements").
        if frame.seq == self._expected_seq:
            self._expected_seq = (self._expected_seq + 1) & 0xFFFF
            self._ack_owed = True
            self._nak_sent = False
            return True
        if (self._expected_seq - frame.seq) & 0xFFFF <= 0x8000:
            self.counters["frames_duplicate"] += 1
            self._ack_owed = True
        else:
            self.counters["frames_out_of_order"] += 1
            if not self._nak_sent:
                self._nak_owed = True
        return False

    def poll(self, now_ms: float) -> Optional[bytes]:
        """The next bytes to write, or None. The order is stop, open, commands, samples, a bare
        acknowledgement (protocol.md, "Order of sending")."""
        found = self._urgent() or self._of_session(now_ms)
        if found is None:
            return None
        channel, seq, payload, is_behind_delimiter = found
        flags = ack = 0
        if channel != _OPEN:
            ack = (self._expected_seq - 1) & 0xFFFF
            if self._nak_owed:
                flags = FLAG_NAK
                self.counters["naks_sent"] += 1
                self._nak_sent = True
            self._nak_owed = self._ack_owed = False
        self.counters["frames_sent"] += 1
        wire = seal_frame(Frame(channel, self._session or 0, flags, seq, ack, payload))
        # The delimiter protects this frame from the rest of a frame that was cut off (protocol.md,
        # "Delimiters").
        return b"\0" + wire if is_behind_delimiter else wire

    def _urgent(self) -> Optional[Tuple[int, int, bytes, bool]]:
        if self._stop is not None:
            payload, self._stop = self._stop, None
            seq, self._stop_seq_out = self._stop_seq_out, (self._stop_seq_out + 1) & 0xFFFF
            return _STOP, seq, payload, True
        if self._open is not None:
            payload, self._open = self._open, None
            return _OPEN, 0, payload, True
        return None

    def _of_session(self, now_ms: float) -> Optional[Tuple[int, int, bytes, bool]]:
        if self._session is None or self._held:
            return None
        command = self._commands.next(now_ms)
        if command is not None:
            return _COMMAND, command.seq, command.payload, command.sendings > 1
        if self._samples:
            seq, self._sample_seq_out = self._sample_seq_out, (self._sample_seq_out + 1) & 0xFFFF
            return _SAMPLE, seq, self._samples.popleft(), False
        if self._ack_owed or self._nak_owed:
            return _COMMAND, self._commands.next_seq, b"", False
        return None

    @property
    def next_timeout_ms(self) -> Optional[float]:
        """The time at which `poll` must be called even if nothing arrives, or None."""
        return None if self._held else self._commands.next_timeout_ms
