"""A part of protocol-vectors.py: records the input and the output of a link for link.json."""
import json

from protocol_link import CHANNELS, COMMAND, NAK, OPEN, SAMPLE, STOP, Link
from protocol_wire import U16, raw_frame, wire

NONCE, OTHER_NONCE = bytes.fromhex("5a02030405060708"), bytes.fromhex("c303030303030303")
NONE = U16  # the acknowledgement before the first frame


def frame(channel, seq=0, payload=b"", ack=NONE, flags=0, session=NONCE[0]):
    """A frame of the other end."""
    return wire(raw_frame(channel, session, flags, seq, ack, payload))


def command(seq, text, ack=NONE, **rest):
    return frame(COMMAND, seq, text.encode(), ack, **rest)


def ack(number, nak=False, **rest):
    return frame(COMMAND, 0, b"", number, NAK if nak else 0, **rest)


def label(sent):
    """The text of a frame in the scenarios: `command 3 text`, `ack 3`, `nak 3`. A message with a nak has
    `+nak`."""
    channel, flags, seq, acknowledged, payload, _ = sent
    if not payload:
        return f"{'nak' if flags else 'ack'} {acknowledged}"
    return f"{CHANNELS[channel]} {seq} {payload.decode()[:8]}" + ("+nak" if flags else "")


class Session:
    """One end of a link, with its steps. The expected output of the link is written by hand in every step."""

    def __init__(self, name, end, window=4, in_flight_bytes=4096, frame_bytes=256, each_way=0, is_open=True,
                 answers_most=None):
        self.link = Link(256, answers_most)
        self.head = {"name": name, "end": end, "frameBytesTaken": 256, "framesEachWay": each_way}
        if answers_most is not None:
            self.head["answersWaiting"] = answers_most
        self.steps = []
        self.limits = {"frameBytes": frame_bytes, "window": window, "inFlightBytes": in_flight_bytes}
        if is_open:
            self.step(0, open=NONCE)
        for number in range(each_way):
            self.link.receive(command(number & U16, "i", (number - 1) & U16), 0, lambda *_: None)
            self.link.send(COMMAND, b"o")
            self.link.next_frame(0)
        if each_way:
            self.step(0, receive=ack(each_way - 1 & U16))

    def step(self, at, says="", *, open=None, close=False, hold=False, resume=False, receive=b"", send=(), port=None,
             delivers="", wakes=...):
        """The order within a step: first one of `open` … `resume`, then bytes come in, then messages are
        queued, then the port takes frames."""
        step = {"atMs": at}
        if open:
            step["open"] = {"nonce": open.hex(), **self.limits}
            self.link.open_session(open, self.limits["window"], self.limits["inFlightBytes"])
        for key, wanted in (("close", close), ("hold", hold), ("resume", resume)):
            if wanted:
                step[key] = True
                {"close": self.link.close_session, "hold": self.link.hold, "resume": self.link.resume_session}[key]()
        delivered = []
        if receive:
            step["receive"] = receive.hex()
            self.link.receive(receive, at, lambda channel, payload: delivered.append((channel, payload)))
        if send:
            step["send"] = [{"channel": CHANNELS[channel], "payload": text.encode().hex()} for channel, text in send]
            for channel, text in send:
                self.link.send(channel, text.encode())
        if port is not None:
            step["portTakes"] = port
        frames = []
        while port is None or len(frames) < port:
            sent = self.link.next_frame(at)
            if sent is None:
                break
            frames.append(sent)
        step["delivers"] = [{"channel": CHANNELS[channel], "payload": payload.hex()} for channel, payload in delivered]
        step["says"] = [self.shown(sent) for sent in frames]
        step["wakesAtMs"] = self.link.wake_at()
        where = f"{self.head['name']}, step {len(self.steps)} at {at} ms"
        assert ", ".join(map(label, frames)) == says, (where, list(map(label, frames)))
        assert " ".join(payload.decode() for _, payload in delivered) == delivers, (where, delivered)
        assert wakes is ... or wakes == step["wakesAtMs"], (where, step["wakesAtMs"])
        self.steps.append(step)

    def commands(self, at, texts, says="", **rest):
        self.step(at, says, send=[(COMMAND, text) for text in texts.split()], **rest)

    def shown(self, sent):
        channel, flags, seq, acknowledged, payload, _ = sent
        return {"channel": CHANNELS[channel], "session": self.link.session or 0, "flags": flags, "seq": seq,
                "ack": acknowledged, "payload": payload.hex(), "wire": self.link.encode(sent).hex()}

    def render(self):
        compact = {"ensure_ascii": False, "separators": (",", ":")}
        steps = ",\n  ".join(json.dumps(step, **compact) for step in self.steps)
        return json.dumps(self.head, **compact)[:-1] + f',"steps":[\n  {steps}]}}'


__all__ = ["COMMAND", "NAK", "NONCE", "NONE", "OPEN", "OTHER_NONCE", "SAMPLE", "STOP", "Session", "ack", "command", "frame"]
