"""A part of protocol-vectors.py: sessions in which a link receives frames. Texts stand for messages, because
the link does not read messages."""
from protocol_link_recorder import (COMMAND, NONCE, NONE, OPEN, OTHER_NONCE, SAMPLE, STOP, Session, ack, command,
                                    frame)


def in_order():
    s = Session("commands in order, each answered at once", "device")
    s.step(1, "command 0 A", receive=command(0, "a"), send=[(COMMAND, "A")], delivers="a", wakes=251)
    s.step(3, "command 1 B", receive=command(1, "b", 0), send=[(COMMAND, "B")], delivers="b", wakes=33)
    s.step(5, receive=ack(1), wakes=None)
    yield s
    s = Session("if an answer takes long, a frame without payload acknowledges", "device")
    s.step(1, "ack 0", receive=command(0, "a"), delivers="a")
    s.step(9, "command 0 A", send=[(COMMAND, "A")])
    yield s
    s = Session("several commands in one piece of bytes get one acknowledgement", "device")
    s.step(1, "ack 2", receive=command(0, "a") + command(1, "b") + command(2, "c"), delivers="a b c")
    yield s
    s = Session("a frame in pieces, and empty frames between delimiters", "device")
    whole = command(0, "a")
    s.step(1, receive=b"\0\0" + whole[:7])
    s.step(2, receive=whole[7:-1])
    s.step(3, "ack 0", receive=b"\0\0\0", delivers="a")
    yield s
    s = Session("rubbish is skipped; the gap after it is reported with the next good frame", "device")
    broken = bytearray(command(1, "b"))
    broken[9] ^= 4
    s.step(1, "ack 0", receive=b"U-Boot\0" + command(0, "a"), delivers="a")
    s.step(2, receive=bytes(broken))
    s.step(3, "nak 0", receive=command(2, "c"))
    yield s


def duplicates_and_gaps():
    s = Session("a duplicate is acknowledged again and not delivered", "device")
    s.step(1, "ack 1", receive=command(0, "a") + command(1, "b"), delivers="a b")
    s.step(2, "ack 1", receive=command(1, "b"))
    s.step(3, "ack 1", receive=command(0, "a") + command(1, "b"))
    yield s
    s = Session("a gap causes one nak, and the frames after it cause none", "device")
    s.step(1, "ack 0", receive=command(0, "a"), delivers="a")
    s.step(2, "nak 0", receive=command(2, "c"))
    s.step(3, receive=command(3, "d"))
    s.step(4, "ack 3", receive=command(1, "b") + command(2, "c") + command(3, "d"), delivers="b c d")
    s.step(5, "nak 3", receive=command(5, "f") + command(6, "g"))
    s.step(6, "ack 4", receive=command(4, "e"), delivers="e")
    yield s
    s = Session("a gap before the first frame", "host")
    s.step(1, "nak 65535", receive=command(1, "b"))
    yield s
    s = Session("a waiting answer carries the nak", "device")
    s.step(1, "command 0 A+nak", receive=command(0, "a") + command(2, "c"), send=[(COMMAND, "A")], delivers="a")
    s.step(2, receive=command(3, "d", 0))
    yield s
    s = Session("a sample, or the answer to a stop, carries the nak", "device")
    s.step(1, "sample 0 s+nak, sample 1 t", receive=command(1, "b"), send=[(SAMPLE, "s"), (SAMPLE, "t")])
    s.step(2, "ack 0", receive=command(0, "a"), delivers="a")
    s.step(3, "stop 0 z+nak, sample 2 u", receive=command(2, "c"), send=[(SAMPLE, "u"), (STOP, "z")])
    yield s
    s = Session("a nak is sent even if the gap has closed before the port takes it", "device")
    s.step(1, port=0, receive=command(1, "b"))
    s.step(2, "nak 0", receive=command(0, "a"), delivers="a")
    yield s
    s = Session("numbers up to 32768 back count as old, the other half as new", "device", each_way=40000)
    s.step(1, "ack 39999", receive=command(40000 - 1024, "x", 39999))
    s.step(2, "ack 39999", receive=command(40000 - 32768, "x", 39999))
    s.step(3, "nak 39999", receive=command(40000 - 32769, "x", 39999))
    s.step(4, "ack 40000", receive=command(40000, "y", 39999), delivers="y")
    s.step(5, "nak 40000", receive=command(40002, "z", 39999))
    yield s
    for end in ("device", "host"):
        s = Session(f"numbers run over 65535, {end}", end, each_way=65534)
        s.commands(1, "a b c", "command 65534 a, command 65535 b, command 0 c", wakes=31)
        s.step(2, "ack 65535", receive=command(65534, "A", 65534) + command(65535, "B", 65535), delivers="A B", wakes=31)
        s.step(3, "ack 0", receive=command(0, "C", 0), delivers="C", wakes=None)
        s.commands(4, "d", "command 1 d")
        s.step(5, receive=ack(2))
        s.step(6, "command 1 d", receive=ack(0, nak=True))
        yield s


def other_channels():
    s = Session("samples and stops are delivered with any number; each channel counts by itself", "host")
    s.step(1, receive=frame(SAMPLE, 0, b"s0") + frame(SAMPLE, 3, b"s3"), delivers="s0 s3")
    s.step(2, receive=frame(SAMPLE, 2, b"s2") + frame(STOP, 9, b"z"), delivers="s2 z")
    s.step(3, "ack 0", receive=command(0, "a") + frame(SAMPLE, 4, b"s4"), delivers="a s4")
    yield s
    s = Session("acknowledgements count on every channel of the session, not on open", "host")
    s.commands(0, "a b c", "command 0 a, command 1 b, command 2 c")
    s.step(5, receive=frame(SAMPLE, 0, b"s", 0), delivers="s", wakes=30)
    s.step(6, receive=frame(STOP, 0, b"z", 1), delivers="z", wakes=30)
    s.step(7, receive=frame(OPEN, 0, b"h", 2), delivers="h", wakes=30)
    s.step(8, receive=frame(SAMPLE, 1, b"", 2), wakes=None)
    yield s
    s = Session("the number of a frame without payload is ignored", "device")
    s.step(1, receive=frame(COMMAND, 77) + frame(SAMPLE, 5) + frame(STOP, 6))
    s.step(2, "ack 0", receive=command(0, "a"), delivers="a")
    yield s


def sessions():
    s = Session("outside a session only channel open is heard and spoken", "device", is_open=False)
    s.step(1, receive=command(0, "a") + frame(SAMPLE, 0, b"s") + frame(STOP, 0, b"z") + frame(OPEN, 0, b"h"), delivers="h")
    s.step(2, "open 0 H", send=[(OPEN, "H")], wakes=None)
    s.step(3, open=NONCE)
    s.step(4, "ack 0", receive=command(0, "a"), delivers="a")
    s.step(5, close=True, receive=command(1, "b"))
    yield s
    foreign = OTHER_NONCE[0]
    s = Session("frames of another session are dropped, their acknowledgements and naks too", "device")
    s.commands(0, "a", "command 0 a")
    s.step(1, receive=command(0, "x", 0, session=foreign) + frame(SAMPLE, 0, b"y", 0, session=foreign))
    s.step(2, receive=ack(NONE, nak=True, session=foreign) + frame(STOP, 0, b"z", session=foreign), wakes=250)
    s.step(3, receive=frame(OPEN, 0, b"h", session=foreign), delivers="h")
    yield s
    s = Session("a new session begins anew: numbers, queue, round trip, gap", "device", window=2)
    s.commands(0, "a b c d", "command 0 a, command 1 b")
    s.step(4, "command 2 c", receive=command(0, "x", 0), delivers="x", wakes=30)
    s.step(5, "nak 0", receive=command(3, "w"))
    s.step(6, open=OTHER_NONCE, wakes=None)
    s.commands(7, "e f g", "command 0 e, command 1 f", wakes=257)
    s.step(8, "nak 65535", receive=command(1, "v", session=foreign))
    s.step(9, "ack 0", receive=command(0, "u", NONE, session=foreign) + command(1, "old", 1), delivers="u", wakes=257)
    yield s


def full_answer_queue():
    s = Session("a command whose answer finds no room is dropped without an acknowledgement, and comes again", "device", window=1,
                answers_most=64)
    s.commands(0, "A", "command 0 A")
    s.commands(1, " ".join("B" * 64), wakes=250)
    s.step(2, receive=command(0, "a"))
    s.step(3, receive=command(0, "a"))
    s.step(4, receive=frame(SAMPLE, 0, b"s") + frame(STOP, 0, b"z"), delivers="s z")
    s.step(5, "command 1 B", receive=command(0, "a", 0))
    s.step(6, "ack 0", receive=command(0, "a", 0), send=[(COMMAND, "C")], delivers="a")
    s.step(7, receive=command(1, "b", 0))
    s.step(8, "nak 0", receive=command(2, "c", 0))
    s.step(9, "command 2 B", receive=ack(1))
    s.step(10, "ack 1", receive=command(1, "b", 1), delivers="b")
    yield s


def receiving():
    for group in (in_order, duplicates_and_gaps, other_channels, sessions, full_answer_queue):
        yield from group()
