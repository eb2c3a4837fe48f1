"""Frames: COBS(header, payload, CRC-32) 0x00 (protocol.md, "Frames" and "Receiving frames")."""

import struct
import zlib
from dataclasses import dataclass
from typing import Iterator, Optional, Union

from .tables import (
    CHANNEL,
    FLAG_NAK,
    FRAME_CRC_BYTES,
    FRAME_HEADER_BYTES,
    FRAME_OVERHEAD_BYTES,
    FRAME_VERSION,
)

_GROUP_MAX = 254
_HEADER = struct.Struct("<BBBBHH")
_CHANNEL_MAX = max(CHANNEL.values())


@dataclass(frozen=True)
class Frame:
    """`session` is the first byte of the nonce, `seq` and `ack` are u16 (protocol.md, "Frames")."""

    channel: int
    session: int
    flags: int
    seq: int
    ack: int
    payload: bytes


@dataclass(frozen=True)
class Fault:
    """Bytes between two delimiters that are no frame: `cobs`, `short`, `oversize`, `crc` or `header`."""

    kind: str
    size: int
    head: bytes


def cobs_encode(raw: bytes) -> bytes:
    """The encoding without zeros, and the delimiter (Cheshire and Baker, 1999)."""
    out = bytearray()
    groups = raw.split(b"\0")
    last = len(groups) - 1
    for at, group in enumerate(groups):
        start = 0
        while len(group) - start >= _GROUP_MAX:
            out.append(_GROUP_MAX + 1)
            out += group[start : start + _GROUP_MAX]
            start += _GROUP_MAX
        # A full group stands for no zero. If it is the last group, no other group is needed.
        if at < last or start < len(group) or start == 0:
            out.append(len(group) - start + 1)
            out += group[start:]
    out.append(0)
    return bytes(out)


def cobs_decode(block: bytes) -> Optional[bytes]:
    """The bytes before encoding; None if the block is malformed."""
    out, at = bytearray(), 0
    while at < len(block):
        code = block[at]
        if at + code > len(block) or code == 0:
            return None
        out += block[at + 1 : at + code]
        at += code
        if code <= _GROUP_MAX and at < len(block):
            out.append(0)
    return bytes(out)


def wire_bytes_max(frame_bytes: int) -> int:
    """The length of the longest encoding of a frame of this length, delimiter included."""
    return frame_bytes + 2 + frame_bytes // _GROUP_MAX


def seal_frame(frame: Frame) -> bytes:
    """The bytes on the wire with the delimiter."""
    head = _HEADER.pack(FRAME_VERSION, frame.channel, frame.session, frame.flags, frame.seq, frame.ack)
    covered = head + frame.payload
    return cobs_encode(covered + struct.pack("<I", zlib.crc32(covered)))


class FrameDecoder:
    """Turns bytes into frames and faults, in order, with bounded memory (protocol.md, "Receiving frames").
    The next zero resynchronises the decoder. A good frame between two delimiters is never lost."""

    HEAD_BYTES = 128

    def __init__(self, frame_bytes_max: int) -> None:
        self._frame_bytes_max = frame_bytes_max
        self._wire_bytes_max = wire_bytes_max(frame_bytes_max)
        self._pending = bytearray()
        self._seen = 0

    @property
    def pending_head(self) -> bytes:
        """The first bytes since the last delimiter."""
        return bytes(self._pending[: self.HEAD_BYTES])

    def push(self, chunk: bytes) -> Iterator[Union[Frame, Fault]]:
        """The frames and faults that `chunk` completes, one by one. Read all of them before the next chunk is
        given."""
        *blocks, rest = chunk.split(b"\0")
        for block in blocks:
            self._append(block)
            item = self._finish()
            if item is not None:
                yield item
        self._append(rest)

    def _append(self, block: bytes) -> None:
        room = self._wire_bytes_max - self._seen
        if room > 0:
            self._pending += block[:room]
        self._seen += len(block)

    def _finish(self) -> Union[Frame, Fault, None]:
        seen, block = self._seen, bytes(self._pending)
        self._seen = 0
        self._pending.clear()
        # Two delimiters without bytes between them are not a fault (protocol.md, "Delimiters").
        if seen == 0:
            return None
        raw = None if seen > self._wire_bytes_max else cobs_decode(block)
        kind = self._fault_of(seen, raw)
        if kind is not None or raw is None:
            return Fault(kind or "cobs", seen, block[: self.HEAD_BYTES])
        _, channel, session, flags, seq, ack = _HEADER.unpack_from(raw)
        return Frame(channel, session, flags, seq, ack, raw[FRAME_HEADER_BYTES:-FRAME_CRC_BYTES])

    def _fault_of(self, seen: int, raw: Optional[bytes]) -> Optional[str]:
        if seen > self._wire_bytes_max:
            return "oversize"
        if raw is None:
            return "cobs"
        if len(raw) < FRAME_OVERHEAD_BYTES:
            return "short"
        if len(raw) > self._frame_bytes_max:
            return "oversize"
        if struct.pack("<I", zlib.crc32(raw[:-FRAME_CRC_BYTES])) != raw[-FRAME_CRC_BYTES:]:
            return "crc"
        is_known = raw[0] == FRAME_VERSION and raw[1] <= _CHANNEL_MAX and raw[3] & ~FLAG_NAK == 0
        return None if is_known else "header"
