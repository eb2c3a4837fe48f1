#!/usr/bin/env python3
"""check_vectors.py [--quick]: compares frames, payloads, link and digests of the Python package with
firmware-protocol/vectors, whose README describes the expected results. Prints one line of JSON: how many
cases of each file were compared. A case that differs ends it with an error that names the case."""

import json
import pathlib
import sys

from thermolink.wire import codec, frames, link
from thermolink.wire.command_sender import LinkLimits
from thermolink.wire.crc32c import crc32c
from thermolink.wire.fields import Bytes
from thermolink.wire.tables import CHANNEL, MESSAGES

VECTORS = pathlib.Path(__file__).parents[2] / "firmware-protocol" / "vectors"


# Sessions that begin after tens of thousands of frames take a second of their own.
IS_QUICK = "--quick" in sys.argv


def load(name):
    return json.loads((VECTORS / name).read_text(encoding="utf8"))


def same(found, wanted, case):
    if found != wanted:
        sys.exit(f"{case}: found {found!r}, wanted {wanted!r}")


def check_frames(vectors):
    keys = ("channel", "session", "flags", "seq", "ack")
    known = {}
    for case in vectors["frames"]:
        frame = frames.Frame(*(case[key] for key in keys), bytes.fromhex(case["payload"]))
        known[case["name"]] = frame
        same(frames.seal_frame(frame).hex(), case["wire"], case["name"])
        same(list(frames.FrameDecoder(65536).push(bytes.fromhex(case["wire"]))), [frame], case["name"])
    for case in vectors["bad"]:
        items = list(frames.FrameDecoder(case["frameBytesMax"]).push(bytes.fromhex(case["wire"])))
        same([item.kind for item in items], [case["fault"]], case["name"])
    for case in vectors["streams"]:
        decoder = frames.FrameDecoder(case["frameBytesMax"])
        items = [item for chunk in case["chunks"] for item in decoder.push(bytes.fromhex(chunk))]
        wanted = [known[item["frame"]] if "frame" in item else item for item in case["items"]]
        told = [
            item if isinstance(item, frames.Frame) else {"fault": item.kind, "bytes": item.size}
            for item in items
        ]
        same(told, wanted, case["name"])
    return sum(len(vectors[key]) for key in ("frames", "bad", "streams"))


def rows_of(case):
    row = codec.row_of(case["name"])
    is_answer = row.direction == "command" and case["direction"] == "toHost"
    return row.opcode, row.answer if is_answer else row.fields


def fields_of(case, rows):
    return {
        row.name: bytes.fromhex(case["fields"][row.name])
        if isinstance(row, Bytes)
        else case["fields"][row.name]
        for row in rows
    }


def decode(payload, rows):
    items = codec.unpack_items(bytes.fromhex(payload))
    return None if items is None else codec.match_fields(rows, items[2])


def check_messages(vectors):
    for case in vectors["messages"]:
        opcode, rows = rows_of(case)
        fields = fields_of(case, rows)
        same(codec.pack_fields(opcode, case["requestId"], rows, fields).hex(), case["payload"], case["name"])
        same(decode(case["payload"], rows), fields, case["name"])
    for case in vectors["laterMinor"] + vectors["earlierVersion"]:
        _, rows = rows_of(case)
        same(decode(case["payload"], rows), fields_of(case, rows), case["name"])
    for case in vectors["rejectedFields"]:
        same(
            decode(case["payload"], rows_of(case)[1]),
            None,
            f"{case['name']}, {case['reason']}: {case['payload']}",
        )
    events = {row.opcode for row in MESSAGES if row.direction == "toHost"}
    for case in vectors["rejectedPayloads"]:
        # The vectors are messages as the device receives them. An event to the host is not among these.
        items = codec.unpack_items(bytes.fromhex(case["payload"]))
        row = None if items is None else next((row for row in MESSAGES if row.opcode == items[0]), None)
        is_taken = (
            row is not None
            and row.opcode not in events
            and codec.match_fields(row.fields, items[2]) is not None
        )
        same(is_taken, False, f"{case['note']}: {case['payload'][:80]}")
    return sum(
        len(vectors[key])
        for key in ("messages", "laterMinor", "earlierVersion", "rejectedFields", "rejectedPayloads")
    )


def check_digests(vectors):
    import numpy as np
    from thermolink.device.program import Program

    # The package makes no programs with a row element.
    cases = [case for case in vectors["digests"] if "linearRows" not in case]
    for case in cases:
        width = np.int8 if case["couplingBits"] <= 8 else np.int16
        couplings = np.array(case["couplings"], width).reshape(case["rows"], case["cells"])
        codes = {
            "drive": np.array(case["drive"], np.int16),
            "initial_state": np.array(case["initialState"], np.int16),
        }
        program = Program(
            "factored",
            case["couplingBits"],
            0,
            couplings,
            damping=case["damping"],
            noise_amplitude=case["noiseAmplitude"],
            noise_shift=case["noiseShift"],
            **codes,
        )
        same(program.digest(), (case["crc32"], case["crc32c"]), str(case)[:80])
    same(crc32c(b"123456789"), 0xE3069283, "check value of CRC-32C")
    return len(cases)


def send(end, message):
    payload = bytes.fromhex(message["payload"])
    {"command": end.send_command, "sample": end.send_sample, "stop": end.send_stop, "open": end.send_open}[
        message["channel"]
    ](payload)


def check_link(vectors):
    names = {value: name for name, value in CHANNEL.items()}
    # This link is that of a host. It takes answers even if it has no room to send.
    sessions = [
        case
        for case in vectors["sessions"]
        if "answersWaiting" not in case and not (IS_QUICK and case["framesEachWay"] > 0)
    ]
    for case in sessions:
        end = link.Link(case["frameBytesTaken"])
        for at, step in enumerate(case["steps"]):
            where, now = f"{case['name']}, step {at}", step["atMs"]
            if at == 1 and case["framesEachWay"] > 0:
                wind_on(end, case["framesEachWay"], case["steps"][0]["open"]["nonce"])
            if "open" in step:
                limits = step["open"]
                end.open_session(
                    bytes.fromhex(limits["nonce"]),
                    LinkLimits(limits["frameBytes"], limits["window"], limits["inFlightBytes"]),
                )
            for key, act in (
                ("close", end.close_session),
                ("hold", end.hold),
                ("resume", end.resume_session),
            ):
                if key in step:
                    act()
            taken = [
                item
                for item in end.receive(bytes.fromhex(step.get("receive", "")), now)
                if isinstance(item, tuple)
            ]
            same(
                [{"channel": names[channel], "payload": payload.hex()} for channel, payload in taken],
                step["delivers"],
                where,
            )
            for message in step.get("send", []):
                send(end, message)
            said = []
            while len(said) < step.get("portTakes", 10**6):
                wire = end.poll(now)
                if wire is None:
                    break
                said.append(wire.hex())
            same(said, [message["wire"] for message in step["says"]], where)
            same(end.next_timeout_ms, step["wakesAtMs"], where)
    return len(sessions)


def wind_on(end, count, nonce):
    session = bytes.fromhex(nonce)[0]
    for i in range(count):
        frame = frames.Frame(CHANNEL["command"], session, 0, i & 0xFFFF, (i - 1) & 0xFFFF, b"\x69")
        list(end.receive(frames.seal_frame(frame), 0))
        end.send_command(b"\x6f")
        end.poll(0)


messages = load("messages.json")
print(
    json.dumps(
        {
            "frames": check_frames(load("frames.json")),
            "messages": check_messages(messages),
            "digests": check_digests(messages),
            "sessions": check_link(load("link.json")),
        }
    )
)
