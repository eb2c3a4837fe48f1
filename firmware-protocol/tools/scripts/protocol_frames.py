"""A part of protocol-vectors.py: good frames, bad frames with their kind of fault, and streams of both."""
import struct
import zlib

from protocol_wire import U16, U32, crc32c, msgpack, pattern, raw_frame, wire

OPEN, COMMAND, SAMPLE, STOP = range(4)
NAK = 1


def good_frames():
    def entry(name, channel, session, flags, seq, ack, payload=b""):
        bytes_ = wire(raw_frame(channel, session, flags, seq, ack, payload))
        return {"name": name, "channel": channel, "session": session, "flags": flags, "seq": seq, "ack": ack,
                "payload": payload.hex(), "wire": bytes_.hex()}

    yield entry("worked example: ping 7", COMMAND, 0xA5, 0, 0, U16, msgpack([1, 1, 7]))
    for channel, label in enumerate(("open", "command", "sample", "stop")):
        yield entry(f"{label}, empty", channel, 1, 0, 0, 0)
        yield entry(f"{label}, three bytes", channel, 255, 0, 513, 65534, b"abc")
    yield entry("acknowledgement before the first frame", COMMAND, 7, 0, 0, U16)
    yield entry("nak", COMMAND, 7, NAK, 12, 11)
    yield entry("sequence at its end", COMMAND, 0, 0, U16, U16, b"\1")
    for length in (1, 2, 11, 127, 128, 241, 242, 243, 244, 245, 252, 253, 254, 255, 256, 508, 509):
        yield entry(f"{length} zeros", SAMPLE, 3, 0, 258, 772, bytes(length))
        yield entry(f"{length} bytes 0xff", SAMPLE, 3, 0, 258, 772, b"\xff" * length)
        yield entry(f"{length} bytes, no zero", SAMPLE, 3, 0, 258, 772, pattern(length, 1))
        yield entry(f"{length} bytes, zero at the end", SAMPLE, 3, 0, 258, 772, pattern(length - 1, 2) + b"\0")
    # Header and CRC have no zero either. The frames are whole COBS groups of 254 bytes, followed by nothing,
    # one byte, or almost a group.
    for total in (12, 13, 253, 254, 255, 256, 507, 508, 509, 510, 763):
        seed = next(s for s in range(255) if 0 not in raw_frame(SAMPLE, 3, NAK, 258, 772, pattern(total - 12, s)))
        yield entry(f"frame of {total} bytes without a zero", SAMPLE, 3, NAK, 258, 772, pattern(total - 12, seed))


def bad_frames():
    def entry(name, fault, bytes_, frame_bytes_max=256):
        assert bytes_.count(0) == 1 and bytes_[-1] == 0
        return {"name": name, "fault": fault, "frameBytesMax": frame_bytes_max, "wire": bytes_.hex()}

    header = struct.pack("<BBBBHH", 1, COMMAND, 9, 0, 5, 4)
    good = raw_frame(COMMAND, 9, 0, 5, 4, b"payload")
    yield entry("group longer than the frame", "cobs", b"\5\1\2\0")
    yield entry("group length alone", "cobs", b"\2\0")
    yield entry("last byte lost", "cobs", wire(good)[:-2] + b"\0")
    yield entry("full group cut", "cobs", b"\xff" + b"\1" * 200 + b"\0")
    yield entry("first byte lost", "cobs", wire(good)[1:])
    for length in range(1, 12):
        yield entry(f"only {length} bytes", "short", wire(good[:length]))
    yield entry("eleven bytes with their own CRC", "short", wire(header[:7] + struct.pack("<I", zlib.crc32(header[:7]))))
    for at in range(0, len(good), 3):
        changed = bytearray(good)
        changed[at] ^= 1 << (at % 8)
        yield entry(f"bit changed in byte {at}", "crc", wire(bytes(changed)))
    yield entry("CRC big-endian", "crc", wire(header + struct.pack(">I", zlib.crc32(header))))
    yield entry("CRC-32C instead", "crc", wire(header + struct.pack("<I", crc32c(header))))
    yield entry("CRC without final complement", "crc", wire(header + struct.pack("<I", zlib.crc32(header) ^ U32)))
    yield entry("CRC zero", "crc", wire(header + bytes(4)))
    yield entry("one byte too long", "oversize", wire(raw_frame(COMMAND, 9, 0, 5, 4, pattern(245, 3))))
    yield entry("one byte too long, largest frame 300", "oversize",
                wire(raw_frame(COMMAND, 9, 0, 5, 4, pattern(289, 3))), 300)
    yield entry("a thousand bytes of rubbish", "oversize", b"\x55" * 1000 + b"\0")
    for version in (0, 2, 255):
        yield entry(f"version {version}", "header", wire(raw_frame(COMMAND, 9, 0, 5, 4, b"x", version)))
    for channel in (4, 5, 128, 255):
        yield entry(f"channel {channel}", "header", wire(raw_frame(channel, 9, 0, 5, 4, b"x")))
    for flags in (2, 3, 4, 0x80, 0xFF):
        yield entry(f"flags {flags}", "header", wire(raw_frame(COMMAND, 9, flags, 5, 4, b"x")))


def streams(frames, bad):
    by_name = {frame["name"]: bytes.fromhex(frame["wire"]) for frame in frames}

    def entry(name, chunks, items):
        expected = [{"frame": item} if isinstance(item, str) else {"fault": item[0], "bytes": item[1]} for item in items]
        return {"name": name, "frameBytesMax": 256, "chunks": [chunk.hex() for chunk in chunks], "items": expected}

    ping, nak, ack = ("worked example: ping 7", "nak", "acknowledgement before the first frame")
    filled = "128 bytes, no zero"
    a, b, c, d = (by_name[name] for name in (ping, nak, ack, filled))
    yield entry("one byte at a time", [bytes([byte]) for byte in a + b], [ping, nak])
    yield entry("two frames in one chunk", [a + b], [ping, nak])
    yield entry("delimiter alone, then half and half", [b"\0", a[:9], a[9:] + b[:1], b[1:]], [ping, nak])
    yield entry("many delimiters", [b"\0\0\0" + a + b"\0\0" + b + b"\0"], [ping, nak])
    yield entry("boot text before the first delimiter", [b"U-Boot 2024.01\r\n\0" + a], [("cobs", 16), ping])
    yield entry("frame cut by a delimiter so that another passes", [d[:60] + b"\0" + b + d], [("cobs", 60), nak, filled])
    yield entry("delimiter lost: two frames become rubbish, the third passes", [a[:-1] + b + c],
                [("crc", len(a) - 1 + len(b) - 1), ack])
    yield entry("empty chunks", [b"", a[:4], b"", a[4:], b""], [ping])
    items, chunks = [], []
    for frame in bad:
        if frame["frameBytesMax"] != 256:
            continue
        chunks += [bytes.fromhex(frame["wire"]), b]
        items += [(frame["fault"], len(frame["wire"]) // 2 - 1), "nak"]
    yield entry("a good frame after every fault", chunks, items)
    yield entry("the same in one chunk", [b"".join(chunks)], items)
