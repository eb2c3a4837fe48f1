"""A part of protocol-vectors.py: COBS, frames, CRC-32C and the MessagePack subset. Standard library only."""
import struct
import zlib

U16, U32, U53 = 2**16 - 1, 2**32 - 1, 2**53 - 1


def cobs(raw):
    """Each run of bytes without a zero follows a byte that holds its length + 1. A run of 254 bytes follows
    0xff, and no zero is implied after it."""
    out = bytearray()
    segments = raw.split(b"\0")
    for number, segment in enumerate(segments):
        while len(segment) >= 254:
            out += b"\xff" + segment[:254]
            segment = segment[254:]
            if not segment and number == len(segments) - 1:
                return bytes(out)
        out += bytes([len(segment) + 1]) + segment
    return bytes(out)


def uncobs(block):
    """The bytes before stuffing, or None if the block is empty or malformed."""
    out, at = bytearray(), 0
    while at < len(block):
        code = block[at]
        if code == 0 or at + code > len(block):
            return None
        out += block[at + 1:at + code]
        at += code
        if code < 255 and at < len(block):
            out.append(0)
    return bytes(out) if block else None


def raw_frame(channel, session, flags, seq, ack, payload, version=1):
    covered = struct.pack("<BBBBHH", version, channel, session, flags, seq, ack) + payload
    return covered + struct.pack("<I", zlib.crc32(covered))


def wire(raw):
    return cobs(raw) + b"\0"


def crc32c(data):
    crc = U32
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ U32


def msgpack(value):
    """The subset: integers in shortest form, text, bytes, lists."""
    if isinstance(value, int):
        if value >= 0:
            for limit, head, form in ((0x7F, "", ">B"), (0xFF, "cc", ">B"), (U16, "cd", ">H"), (U32, "ce", ">I"),
                                      (U53, "cf", ">Q")):
                if value <= limit:
                    return bytes.fromhex(head) + struct.pack(form, value)
        for limit, head, form in ((-32, "", ">b"), (-128, "d0", ">b"), (-32768, "d1", ">h"), (-(2**31), "d2", ">i")):
            if limit <= value < 0:
                return bytes.fromhex(head) + struct.pack(form, value)
        raise ValueError(value)
    if isinstance(value, str):
        data = value.encode("utf-8")
        assert len(data) <= 256
        if len(data) < 32:
            return bytes([0xA0 | len(data)]) + data
        return (struct.pack(">BB", 0xD9, len(data)) if len(data) < 256 else struct.pack(">BH", 0xDA, len(data))) + data
    if isinstance(value, bytes):
        for limit, head, form in ((0xFF, 0xC4, ">BB"), (U16, 0xC5, ">BH"), (U32, 0xC6, ">BI")):
            if len(value) <= limit:
                return struct.pack(form, head, len(value)) + value
    head = bytes([0x90 | len(value)]) if len(value) < 16 else struct.pack(">BH", 0xDC, len(value))
    return head + b"".join(msgpack(item) for item in value)


def pattern(length, seed):
    """Bytes without a zero. A long result has every value from 1 to 255."""
    return bytes((seed + 89 * i) % 255 + 1 for i in range(length))
