"""A part of protocol-vectors.py: sessions in which a link sends frames: window, timeouts, order, resumed
sessions."""
from protocol_link_recorder import COMMAND, NAK, NONE, OPEN, SAMPLE, STOP, Session, ack, command, frame


def window():
    s = Session("no more frames than the window are on their way", "host", window=3)
    s.commands(0, "a b c d e f", "command 0 a, command 1 b, command 2 c", wakes=250)
    s.step(1, "command 3 d, command 4 e", receive=ack(1))
    s.step(2, "command 5 f", receive=ack(4))
    s.step(3, receive=ack(5), wakes=None)
    yield s
    s = Session("no more bytes than inFlightBytes are on their way; header, payload and CRC count", "host", window=100, in_flight_bytes=250)
    s.commands(0, " ".join([text * 88 for text in "abc"] + ["d"]), f"command 0 {'a' * 8}, command 1 {'b' * 8}")
    s.step(1, f"command 2 {'c' * 8}, command 3 d", receive=ack(0))
    yield s
    s = Session("exactly inFlightBytes bytes may be on their way", "host", window=100, in_flight_bytes=200)
    s.commands(0, " ".join([text * 88 for text in "ab"] + ["c"]), f"command 0 {'a' * 8}, command 1 {'b' * 8}")
    yield s
    s = Session("one frame may always be on its way", "device", in_flight_bytes=256, frame_bytes=1024)
    s.commands(0, "a" * 400 + " b", f"command 0 {'a' * 8}")
    s.step(1, "command 1 b", receive=ack(0))
    yield s


def unbelievable():
    for name, number in (("that was never made", 6), ("far ahead", 30000), ("that waits for the window", 3)):
        s = Session(f"an acknowledgement of a frame {name} is ignored, and so is its nak", "host", window=3)
        s.commands(0, "a b c d", "command 0 a, command 1 b, command 2 c")
        s.step(1, receive=ack(number), wakes=250)
        s.step(2, receive=ack(number, nak=True), wakes=250)
        s.step(3, "command 3 d", receive=ack(0))
        yield s
    s = Session("an acknowledgement of a frame that the port has not taken yet is ignored", "host", window=3)
    s.commands(0, "a b c", "command 0 a", port=1)
    s.step(1, port=0, receive=ack(1), wakes=250)
    s.step(2, "command 1 b, command 2 c", receive=ack(0))
    yield s
    s = Session("an old acknowledgement changes nothing, and neither does its nak", "host")
    s.commands(0, "a b c", "command 0 a, command 1 b, command 2 c")
    s.step(10, receive=ack(1), wakes=31)
    s.step(11, receive=ack(0) + ack(NONE) + ack(1), wakes=31)
    s.step(12, receive=ack(0, nak=True), wakes=31)
    s.step(13, "command 2 c", receive=ack(1, nak=True), wakes=44)
    yield s


def naks():
    s = Session("after a nak all later frames are sent again, at once and in order, then new frames", "host")
    s.commands(0, "a b c d", "command 0 a, command 1 b, command 2 c, command 3 d")
    s.commands(1, "e f")
    s.step(2, "command 2 c, command 3 d, command 4 e, command 5 f", receive=ack(1, nak=True))
    s.step(3, "command 2 c, command 3 d, command 4 e, command 5 f", receive=ack(1, nak=True))
    yield s
    s = Session("after a nak a slow port begins again with the oldest frame", "host")
    s.commands(0, "a b c", "command 0 a, command 1 b, command 2 c")
    s.step(1, "command 0 a, command 1 b", receive=ack(NONE, nak=True), port=2)
    s.step(2, "command 1 b", receive=ack(0, nak=True), port=1)
    s.step(3, "command 2 c", receive=ack(1))
    yield s
    s = Session("a frame that is sent again carries the acknowledgement of that moment", "device")
    s.commands(0, "A", "command 0 A")
    s.step(1, "ack 0", receive=command(0, "a"), delivers="a")
    s.step(249, wakes=250)
    s.step(250, "command 0 A", wakes=750)
    yield s


def timeouts():
    s = Session("unanswered: after 250, 500, 1000, then every 2000 ms; the eighth expiry is the end", "host", window=2)
    s.commands(0, "a b c", "command 0 a, command 1 b", wakes=250)
    times = [250, 750, 1750, 3750, 5750, 7750, 9750, 11750]
    for at, following in zip(times[:-1], times[1:]):
        s.step(at - 1)
        s.step(at, "command 0 a, command 1 b", wakes=following)
    s.step(11749, wakes=11750)
    s.step(11750, wakes=None)
    s.step(99999, wakes=None)
    s.step(100000, "stop 0 z, sample 0 s", send=[(SAMPLE, "s"), (STOP, "z")])
    s.step(100001, "command 1 b, command 2 c", receive=ack(0), wakes=102001)
    yield s
    s = Session("an acknowledgement starts the count of expiries again", "host", window=1)
    s.commands(0, "a b", "command 0 a")
    for at in (250, 750, 1750, 3750, 5750, 7750, 9750):
        s.step(at, "command 0 a")
    s.step(9760, "command 1 b", receive=ack(0), wakes=11760)
    for at in (11760, 13760, 15760, 17760, 19760, 21760, 23760):
        s.step(at, "command 1 b")
    s.step(25760, wakes=None)
    yield s
    s = Session("the timeout follows SRTT and RTTVAR of RFC 6298, rounded down to a microsecond", "host", window=1)
    # (round trip in ms, timeout in ms), by hand: 100 + 4·50 + 1; 95 + 4·47.5 + 1; 90.75 + 4·44.125 + 1;
    # 89.031 + 4·36.531 + 1; 77.902 + 4·49.656 + 1; 68.289 + 4·56.467 + 1
    at = 0
    s.commands(at, "a", "command 0 a", wakes=250)
    for number, (round_trip, timeout) in enumerate([(100, 301), (60, 286), (61, 268), (77, 236), (0, 277), (1, 295)]):
        at += round_trip
        s.step(at, receive=ack(number))
        s.commands(at, "x", f"command {number + 1} x", wakes=at + timeout)
    yield s
    for name, round_trip, waits in (
        ("never under 30 ms, and is doubled at most six times", 2, [30, 60, 120, 240, 480, 960, 1920, 1920]),
        ("never over 2 s", 900, [2000, 2000]),
        ("doubled until it reaches its largest value", 200, [601, 1202, 2000, 2000]),
    ):
        s = Session(f"the timeout is {name}", "host", window=1)
        s.commands(0, "a", "command 0 a")
        s.step(round_trip, receive=ack(0))
        at = round_trip + 5
        s.commands(at, "b", "command 1 b", wakes=at + waits[0])
        for wait, following in zip(waits, waits[1:] + [None]):
            at += wait
            s.step(at - 1)
            if following is None:
                break
            s.step(at, "command 1 b", wakes=at + following)
        yield s
    s = Session("only frames that were sent once are measured (Karn); until then the timeout stays doubled", "host", window=1)
    s.commands(0, "a b", "command 0 a")
    s.step(250, "command 0 a", wakes=750)
    s.step(253, "command 1 b", receive=ack(0), wakes=753)
    s.step(293, receive=ack(1), wakes=None)
    s.commands(300, "c", "command 2 c", wakes=421)
    yield s
    s = Session("a frame that a nak repeated is not measured", "host")
    s.commands(0, "a b", "command 0 a, command 1 b")
    s.step(5, "command 0 a, command 1 b", receive=ack(NONE, nak=True), wakes=255)
    s.step(10, receive=ack(1))
    s.commands(20, "c", "command 2 c", wakes=270)
    yield s
    s = Session("the newest acknowledged frame is measured; the timeout counts from the oldest unacknowledged frame", "host")
    s.commands(0, "a", "command 0 a")
    s.commands(40, "b", "command 1 b")
    s.commands(70, "c", "command 2 c", wakes=250)
    s.step(100, receive=ack(1), wakes=70 + 60 + 4 * 30 + 1)
    s.step(250)
    s.step(251, "command 2 c", wakes=251 + 2 * 181)
    yield s


def order():
    s = Session("a stop is sent before all waiting frames, then open, commands, samples", "host", window=1)
    everything = [(COMMAND, "a"), (COMMAND, "b"), (SAMPLE, "s"), (SAMPLE, "t"), (OPEN, "h"), (STOP, "z")]
    s.step(0, "stop 0 z, open 0 h, command 0 a, sample 0 s, sample 1 t", send=everything)
    s.step(1, "stop 1 y", send=[(STOP, "y")])
    s.step(2, "command 1 b", receive=ack(0))
    yield s
    s = Session("a stop between the frames that a slow port takes one by one", "host")
    s.commands(0, "a b c", "command 0 a", port=1)
    s.step(1, "stop 0 z", send=[(STOP, "z")], port=1)
    s.step(2, "command 1 b, command 2 c")
    yield s
    s = Session("only the last waiting stop and the last waiting open are sent", "device")
    s.step(0, port=0, send=[(STOP, "y"), (OPEN, "g"), (STOP, "z"), (OPEN, "h")])
    s.step(1, "stop 0 z, open 0 h")
    yield s
    s = Session("every sent frame except open acknowledges, so no frame without payload is needed", "device")
    s.step(1, "stop 0 z", receive=command(0, "a"), send=[(STOP, "z")], delivers="a")
    s.step(2, "open 0 h, ack 1", receive=command(1, "b"), send=[(OPEN, "h")], delivers="b")
    s.step(3, "sample 0 s", receive=command(2, "c"), send=[(SAMPLE, "s")], delivers="c")
    yield s


def going_on():
    s = Session("a host that has lost its port holds, says HELLO, and resumes", "host")
    s.commands(0, "a b c", "command 0 a, command 1 b, command 2 c")
    s.step(20, "ack 0", receive=command(0, "A", 0), delivers="A", wakes=61)
    s.step(30, hold=True, wakes=None)
    s.step(61, wakes=None)
    s.step(62, "stop 0 z, open 0 h", send=[(COMMAND, "d"), (SAMPLE, "s"), (OPEN, "h"), (STOP, "z")], wakes=None)
    s.step(70, receive=frame(OPEN, 0, b"H"), delivers="H")
    s.step(70, "command 1 b, command 2 c, command 3 d, sample 0 s", resume=True, wakes=131)
    s.step(75, receive=ack(2), wakes=131)
    s.step(76, receive=ack(3), wakes=None)
    yield s
    s = Session("a device whose host says HELLO again sends again what was not acknowledged", "device")
    s.step(1, "command 0 A", receive=command(0, "a"), send=[(COMMAND, "A")], delivers="a")
    s.step(50, "open 0 h, command 0 A", receive=frame(OPEN, 0, b"H"), resume=True, send=[(OPEN, "h")], delivers="H", wakes=300)
    s.step(60, "ack 0", receive=command(0, "a", 0), wakes=None)
    yield s
    s = Session("a link that has failed goes on at the next good frame of its session", "device")
    s.commands(0, "a", "command 0 a")
    for at in (250, 750, 1750, 3750, 5750, 7750, 9750):
        s.step(at, "command 0 a")
    s.step(11750, wakes=None)
    s.step(20000, "command 0 a", receive=frame(COMMAND, 0, b""), wakes=22000)
    s.step(20010, receive=ack(0), wakes=None)
    yield s
    s = Session("a link that has failed goes on when the session is resumed", "host")
    s.commands(0, "a", "command 0 a")
    for at in (250, 750, 1750, 3750, 5750, 7750, 9750):
        s.step(at, "command 0 a")
    s.step(11750, wakes=None)
    s.step(20000, "command 0 a", resume=True, wakes=22000)
    s.step(20010, receive=frame(COMMAND, 0, b"", 0, NAK), wakes=None)
    yield s


def sending():
    for group in (window, unbelievable, naks, timeouts, order, going_on):
        yield from group()
