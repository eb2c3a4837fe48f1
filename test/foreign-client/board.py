"""A host for boards that speak docs/reference/protocol.md, written from that document alone. Needs
python3-serial and python3-msgpack.

It sends one command at a time, which is a window of one frame. The protocol allows such a window.
"""
import os
import struct
import time
import zlib

import msgpack
import serial

# The protocol version (major, minor) for which this client was written. Boards of a later minor version serve
# this client too: docs/reference/protocol.md, Versions.
VERSION = (1, 0)
TABLE_HASH = "e36683baf43b7bb7"
FRAME_BYTES, WINDOW = 4096, 8

OPEN, COMMAND, SAMPLE = 0, 1, 2
OPEN_SESSION = 0  # the purpose of HELLO
NAK = 1
HELLO, PING, READ_STATUS, REFUSAL, HELLO_REFUSED = 0, 1, 2, 7, 8
RUN_ENDED, SAMPLE_BLOCK = 34, 49
IDENTITY = ["nonce", "major", "minor", "tableHash", "frameBytes", "window", "resumed", "model", "serialNumber",
            "firmwareVersion", "bootEpoch", "cells", "rows", "banks", "couplingBits", "driveBits", "adcBits", "tauNs",
            "tickLog2", "fullScaleMicrovolts", "rail", "driveRange", "noiseShiftMin"]
REASONS = ["cancelled", "unknownCommand", "badMessage", "wrongState", "outOfRange", "bankBusy", "digestMismatch",
           "notCommitted", "unsupported", "busy", "version", "stale"]


class BoardError(Exception):
    """An error whose text is meant for a person."""


def cobs_encode(raw):
    """The COBS encoding of `raw`, with the delimiter at its end."""
    out = bytearray()
    for group in (raw + b"\0").split(b"\0")[:-1]:
        while len(group) >= 254:
            out += b"\xff" + group[:254]
            group = group[254:]
        out += bytes([len(group) + 1]) + group
    return bytes(out) + b"\0"


def cobs_decode(block):
    """The bytes that give `block` if they are encoded. None if a group is longer than the block."""
    out, at = bytearray(), 0
    while at < len(block):
        code = block[at]
        if at + code > len(block):
            return None
        out += block[at + 1:at + code]
        at += code
        if code < 255 and at < len(block):
            out.append(0)
    return bytes(out)


class Board:
    """A session with a board."""

    def __init__(self, address, table_hash=TABLE_HASH, version=VERSION):
        """`address`: a path of a serial port or pseudo-terminal, or another URL of pyserial, such as
        socket://HOST:PORT."""
        try:
            self.port = serial.serial_for_url(address, baudrate=115200, timeout=0.02)
        except serial.SerialException as error:
            raise BoardError(f"cannot open {address}: {error}") from error
        self.bytes = b""
        self.next_seq, self.acknowledged, self.received = 0, 65535, 65535
        self.request_id = 0
        self.answers, self.blocks, self.ended = {}, [], {}
        self.version = version
        self.identity = self.hello(bytes.fromhex(table_hash))

    # Frames

    def write(self, channel, payload=b"", seq=0, ack=0, again=False):
        covered = struct.pack("<BBBBHH", 1, channel, self.nonce[0], 0, seq, ack) + payload
        frame = cobs_encode(covered + struct.pack("<I", zlib.crc32(covered)))
        self.port.write((b"\0" if channel == OPEN or again else b"") + frame)

    def read(self):
        """Yields the good frames of the session that arrived, as (channel, flags, seq, ack, payload). Waits
        for a byte at most 20 ms."""
        self.bytes += self.port.read(max(1, self.port.in_waiting))
        *blocks, self.bytes = self.bytes.split(b"\0")
        for block in blocks:
            raw = cobs_decode(block)
            if raw is None or len(raw) < 12 or struct.pack("<I", zlib.crc32(raw[:-4])) != raw[-4:]:
                continue
            version, channel, session, flags, seq, ack = struct.unpack("<BBBBHH", raw[:8])
            if version == 1 and (channel == OPEN or session == self.nonce[0]):
                yield channel, flags, seq, ack, raw[8:-4]

    def hello(self, table_hash):
        """Opens a session. A board refuses a nonce with the first byte of one of its last nonces, so this
        tries new nonces for 5 s."""
        until = time.monotonic() + 5
        while time.monotonic() < until:
            self.nonce = os.urandom(8)
            opcode, fields = self.greet(table_hash, until)
            if opcode == HELLO or REASONS[fields[1]] != "stale":
                return self.identify(opcode, fields, table_hash)
        raise BoardError("the board refuses every nonce")

    def greet(self, table_hash, until):
        payload = msgpack.packb([HELLO, 0, self.nonce, *self.version, table_hash, FRAME_BYTES, WINDOW, OPEN_SESSION])
        while time.monotonic() < until:
            self.write(OPEN, payload)
            again = time.monotonic() + 0.2
            while time.monotonic() < again:
                for channel, _, _, _, answer in self.read():
                    opcode, _, *fields = msgpack.unpackb(answer) if channel == OPEN else [None, 0]
                    if opcode in (HELLO, HELLO_REFUSED) and fields[0] == self.nonce:
                        return opcode, fields
        raise BoardError("no answer to HELLO in 5 s: is this the port of a board?")

    def identify(self, opcode, fields, table_hash):
        if opcode == HELLO:
            return dict(zip(IDENTITY, fields))
        _, reason, major, minor, board_hash = fields[:5]
        if REASONS[reason] == "busy":
            raise BoardError("another client has the board")
        raise BoardError(f"the board speaks {major}.{minor} with table hash {board_hash.hex()}, this client "
                         f"{self.version[0]}.{self.version[1]} with {table_hash.hex()}: see docs/reference/protocol.md, Versions")

    # The link

    def acknowledge(self):
        """Sends a frame without payload, which acknowledges received frames and feeds the watchdog."""
        self.write(COMMAND, seq=self.next_seq, ack=self.received)

    def receive(self):
        """Handles the frames that arrived. True if the board asks for the last command again."""
        again, owed = False, False
        for channel, flags, seq, ack, payload in self.read():
            if channel == OPEN:
                continue
            # Only one frame is on its way at a time, so any other acknowledgement is an old one.
            if ack == (self.next_seq - 1) & 0xFFFF:
                self.acknowledged = ack
            again = again or flags & NAK and self.acknowledged != (self.next_seq - 1) & 0xFFFF
            if not payload:
                continue
            if channel == COMMAND:
                owed = True
                if seq != (self.received + 1) & 0xFFFF:
                    continue
                self.received = seq
            self.deliver(*msgpack.unpackb(payload))
        if owed:
            self.acknowledge()
        return again

    def deliver(self, opcode, request_id, *fields):
        if opcode == SAMPLE_BLOCK:
            self.blocks.append(fields)
        elif opcode == RUN_ENDED:
            self.ended[fields[0]] = fields
        else:
            self.answers[request_id] = (opcode, fields)

    def request(self, opcode, *fields, timeout=5.0):
        """Sends a command, and repeats it until it is acknowledged. Returns the fields of the answer."""
        self.request_id += 1
        request_id, seq = self.request_id, self.next_seq
        self.next_seq = (seq + 1) & 0xFFFF
        payload = msgpack.packb([opcode, request_id, *fields])
        until = time.monotonic() + timeout
        due, wait, again = 0.0, 0.25, False
        while request_id not in self.answers:
            now = time.monotonic()
            if now > until:
                raise BoardError(f"no answer to command {opcode} in {timeout} s")
            if self.acknowledged != seq and now >= due:
                self.write(COMMAND, payload, seq, self.received, again)
                due, wait, again = now + wait, min(2 * wait, 2.0), True
            if self.receive():
                due = 0.0
        answered, answer = self.answers.pop(request_id)
        if answered == REFUSAL:
            raise BoardError(f"command {opcode} was refused: {REASONS[answer[0]]}, {answer[3]}")
        return answer

    def wait_for_run(self, run_id, timeout=20.0):
        """Waits for the report of a run and feeds the watchdog meanwhile."""
        until, feed = time.monotonic() + timeout, 0.0
        while run_id not in self.ended:
            now = time.monotonic()
            if now > until:
                raise BoardError(f"run {run_id} did not end in {timeout} s")
            if now >= feed:
                self.acknowledge()
                feed = now + 0.3
            self.receive()
        return self.ended.pop(run_id)

    def close(self):
        self.port.close()
