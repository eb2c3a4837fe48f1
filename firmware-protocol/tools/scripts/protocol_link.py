"""A part of protocol-vectors.py: one end of the link of docs/reference/protocol.md. Bytes and the time come
in, frames come out."""
import struct
import zlib
from collections import deque

from protocol_wire import U16, raw_frame, uncobs, wire

OPEN, COMMAND, SAMPLE, STOP = range(4)
CHANNELS = ("open", "command", "sample", "stop")
NAK = 1
EXPIRIES_MOST, DOUBLINGS_MOST = 8, 6


class RoundTrip:
    """RFC 6298 in whole microseconds."""

    def __init__(self):
        self.smoothed = self.variation = None
        self.doublings = 0

    def measure(self, microseconds):
        if self.smoothed is None:
            self.smoothed, self.variation = microseconds, microseconds // 2
        else:
            self.variation = (3 * self.variation + abs(self.smoothed - microseconds)) // 4
            self.smoothed = (7 * self.smoothed + microseconds) // 8
        self.doublings = 0

    def timeout_ms(self):
        if self.smoothed is None:
            base = 250
        else:
            base = max(30, (self.smoothed + 4 * self.variation) // 1000 + 1)
        return min(2000, base << self.doublings)


class Frame:
    """A command frame that waits, or that is not acknowledged yet."""

    def __init__(self, payload):
        self.payload = payload
        self.seq = None
        self.sendings = 0
        self.sent_at = None

    def size(self):
        return len(self.payload) + 12


class Link:
    def __init__(self, frame_bytes, answers_most=None):
        self.frame_bytes = frame_bytes
        self.answers_most = answers_most  # answers that can wait for the window; None: no bound
        self.received = b""
        self.session = None
        self.reset(window=1, in_flight_bytes=256)

    def reset(self, window, in_flight_bytes):
        self.window, self.in_flight_bytes = window, in_flight_bytes
        self.waiting, self.unacknowledged, self.again = deque(), [], []
        self.samples, self.stop, self.open = deque(), None, None
        self.next_seq = self.sample_seq = self.stop_seq = 0
        self.last_in_order = U16
        self.owes_ack = self.owes_nak = self.gap_was_told = self.held = False
        self.round_trip, self.expiries = RoundTrip(), 0

    # Calls that the program above the link makes.

    def open_session(self, nonce, window, in_flight_bytes):
        self.reset(window, in_flight_bytes)
        self.session = nonce[0]

    def close_session(self):
        self.reset(window=1, in_flight_bytes=256)
        self.session = None

    def hold(self):
        self.held = True

    def resume_session(self):
        self.held = False
        self.expiries = 0
        self.send_again()

    def send(self, channel, payload):
        if channel == COMMAND:
            self.waiting.append(Frame(payload))
        elif channel == SAMPLE:
            self.samples.append(payload)
        elif channel == STOP:
            self.stop = payload
        else:
            self.open = payload

    # Bytes that come in.

    def receive(self, data, now, deliver):
        """Delivers each message as (channel, payload) before it decodes the next frame."""
        *blocks, self.received = (self.received + data).split(b"\0")
        for block in blocks:
            raw = uncobs(block)
            if raw is None or not 12 <= len(raw) <= self.frame_bytes:
                continue
            version, channel, session, flags, seq, ack = struct.unpack("<BBBBHH", raw[:8])
            if struct.pack("<I", zlib.crc32(raw[:-4])) != raw[-4:] or version != 1 or channel > STOP or flags > NAK:
                continue
            if channel != OPEN:
                if session != self.session:
                    continue
                if self.failed():
                    self.expiries = 0
                    self.send_again()
                self.take_ack(ack, flags == NAK, now)
            payload = raw[8:-4]
            if payload and (channel != COMMAND or self.in_order(seq)):
                deliver(channel, payload)

    def in_order(self, seq):
        expected = (self.last_in_order + 1) & U16
        if seq == expected:
            if self.answers_most is not None and len(self.waiting) >= self.answers_most:
                return False  # it is not acknowledged, so it comes again
            self.last_in_order = seq
            self.owes_ack, self.gap_was_told = True, False
            return True
        if (expected - seq) & U16 <= 32768:
            self.owes_ack = True
        elif not self.gap_was_told:
            self.owes_nak = True
        return False

    def take_ack(self, ack, nak, now):
        sent = [frame for frame in self.unacknowledged if frame.sendings > 0]
        numbers = [frame.seq for frame in sent]
        covered = numbers.index(ack) + 1 if ack in numbers else 0
        last = ((numbers or [self.next_seq])[0] - 1) & U16
        if covered == 0 and ack != last:
            return
        if covered:
            newest = sent[covered - 1]
            if newest.sendings == 1:
                self.round_trip.measure((now - newest.sent_at) * 1000)
            del self.unacknowledged[:covered]
            self.again = [frame for frame in self.again if frame in self.unacknowledged]
            self.expiries = 0
        if nak:
            self.send_again()

    # Frames that go out.

    def send_again(self):
        self.again = [frame for frame in self.unacknowledged if frame.sendings > 0]

    def failed(self):
        return self.expiries >= EXPIRIES_MOST

    def wake_at(self):
        """The time at which the oldest unacknowledged frame must be sent again, or None."""
        oldest = self.unacknowledged[0] if self.unacknowledged else None
        if self.held or self.failed() or oldest is None:
            return None
        return oldest.sent_at + self.round_trip.timeout_ms()

    def next_frame(self, now):
        """The next frame as (channel, flags, seq, ack, payload, whether a delimiter goes before it), or None.
        """
        if self.stop is not None:
            payload, self.stop = self.stop, None
            self.stop_seq += 1
            return self.emit(STOP, self.stop_seq - 1, payload, True)
        if self.open is not None:
            payload, self.open = self.open, None
            return OPEN, 0, 0, 0, payload, True
        if self.session is None or self.held:
            return None
        command = None if self.failed() else self.next_command(now)
        if command is not None:
            command.sendings += 1
            command.sent_at = now
            return self.emit(COMMAND, command.seq, command.payload, command.sendings > 1)
        if self.samples:
            self.sample_seq += 1
            return self.emit(SAMPLE, self.sample_seq - 1, self.samples.popleft())
        return self.emit(COMMAND, self.next_seq, b"") if self.owes_ack or self.owes_nak else None

    def next_command(self, now):
        oldest = self.unacknowledged[0] if self.unacknowledged else None
        if oldest and oldest not in self.again and now >= oldest.sent_at + self.round_trip.timeout_ms():
            self.expiries += 1
            if self.round_trip.doublings < DOUBLINGS_MOST:
                self.round_trip.doublings += 1
            self.send_again()
            if self.failed():
                return None
        if self.again:
            return self.again.pop(0)
        if not self.waiting or len(self.unacknowledged) >= self.window:
            return None
        size = sum(frame.size() for frame in self.unacknowledged) + self.waiting[0].size()
        if self.unacknowledged and size > self.in_flight_bytes:
            return None
        frame = self.waiting.popleft()
        frame.seq = self.next_seq
        self.next_seq = (self.next_seq + 1) & U16
        self.unacknowledged.append(frame)
        return frame

    def emit(self, channel, seq, payload, delimited=False):
        flags = NAK if self.owes_nak else 0
        self.gap_was_told = self.gap_was_told or self.owes_nak
        self.owes_ack = self.owes_nak = False
        return channel, flags, seq & U16, self.last_in_order, payload, delimited

    def encode(self, frame):
        channel, flags, seq, ack, payload, delimited = frame
        return (b"\0" if delimited else b"") + wire(raw_frame(channel, self.session or 0, flags, seq, ack, payload))
