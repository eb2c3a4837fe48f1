"""A part of protocol-vectors.py: opcodes, field orders and ranges of docs/reference/protocol.md, and messages
made of them."""
import struct
import zlib

from protocol_wire import U16, U32, U53, crc32c, msgpack, pattern

NAMED = {"U16": U16, "U32": U32, "U53": U53}

# name=low..high: integer (a choice is written as an integer from 0); name=bytes:min..max; name=text:max.
# `>` to the device, `<` to the host.
VERSION = "major=0..U16 minor=0..U16 tableHash=bytes:8..8"
MESSAGES = f"""
0 hello > nonce=bytes:8..8 {VERSION} frameBytes=256..65536 window=1..1024 purpose=0..1
0 hello < nonce=bytes:8..8 {VERSION} frameBytes=256..65536 window=1..1024 resumed=0..1 model=text:24 serialNumber=text:24
  firmwareVersion=text:24 bootEpoch=0..U32 cells=1..8192 rows=0..4096 banks=1..2 couplingBits=4..16 driveBits=8..16
  adcBits=8..16 tauNs=1..U32 tickLog2=2..8 fullScaleMicrovolts=1..U32 rail=1024..20971520 driveRange=1..4
  noiseShiftMin=8..24 noiseShiftMax=8..24 noiseTemperatureMin=0..U32 rowScaleMax=1..8192 inFlightBytes=256..U32
  answerCache=1..32 features=0..127 keepBlocksMax=0..64
  momentCellsMax=0..256 calibrationBytesMax=0..1048576
1 ping > token=0..U32
1 ping < token=0..U32 deviceTimeUs=0..U53
2 readStatus >
2 readStatus < state=0..7 fault=0..2 nonce=bytes:8..8 bootEpoch=0..U32 runId=0..U32 tick=0..U53 stopNumber=0..U32
  committedBanks=0..3 stateDigest=bytes:4..4
3 readCounters >
3 readCounters < framesReceived=0..U53 framesSent=0..U53 framesFaulty=0..U53 framesForeign=0..U53 framesDuplicate=0..U53
  framesOutOfOrder=0..U53 retransmissions=0..U53 messagesRejected=0..U53 samplesLost=0..U53 watchdogTrips=0..U53
  naksReceived=0..U53 naksSent=0..U53
4 acknowledge >
4 acknowledge < state=0..7
5 reset >
5 reset <
6 stop > nonce=bytes:8..8 stopNumber=1..U32 lastRequestId=0..U32
6 stop < stopNumber=1..U32 state=0..7
7 refusal < reason=0..11 opcode=0..127 state=0..7 detail=text:96
8 helloRefused < nonce=bytes:8..8 reason=0..11 {VERSION}
9 identify > durationMs=0..60000
9 identify <
10 readSensors >
10 readSensors < dieTemperatureMillikelvin=0..1000000 supplyMillivolts=0..1000000
16 defineProgram > bank=0..1 mode=0..1 cells=1..8192 rows=1..8192 couplingBits=4..16 rowAttenuation=0..12
  linearRows=0..U16
16 defineProgram <
17 writeCouplings > bank=0..1 firstEntry=0..67108863 codes=bytes:0..65536
17 writeCouplings <
18 writeDrive > bank=0..1 firstCell=0..8191 codes=bytes:0..65536
18 writeDrive <
19 writeInitialState > bank=0..1 firstCell=0..8191 codes=bytes:0..65536
19 writeInitialState <
20 setRegisters > bank=0..1 damping=0..U32 noiseAmplitude=0..24575 noiseShift=8..24
20 setRegisters <
21 commit > bank=0..1 crc32=0..U32 crc32c=0..U32
21 commit < clampedCouplings=0..U53 clampedNoiseCodes=0..8192 noiseCodeMin=0..32767 noiseCodeMax=0..32767 carryVariance=0..U53
22 readProgram > bank=0..1 section=0..4 firstEntry=0..67108863 count=1..65536
22 readProgram < codes=bytes:0..65536
23 writeRowTable > bank=0..1 firstNode=0..160 codes=bytes:0..65536
23 writeRowTable <
24 writeRowDrive > bank=0..1 firstRow=0..4095 codes=bytes:0..65536
24 writeRowDrive <
32 start > bank=0..1 runSeed=0..U32 firstTick=0..U53 startState=0..1 burnInTicks=0..U53 sampleCount=0..U32
  ticksPerSample=0..U32 blockSamples=0..U32 onNoCredit=0..1 onOverload=0..1 watchdogMs=100..60000 creditBlocks=0..U32
  keepBlocks=0..64 statistics=0..2 batchSamples=0..U16
32 start < runId=1..U32
33 abort > runId=1..U32
33 abort <
34 runEnded < runId=1..U32 outcome=0..5 ticksDone=0..U53 samplesTaken=0..U32 samplesLost=0..U32 blocksSent=0..U32
  overloadedCellCount=0..8192 overloadedCells=bytes:0..64 overloadedRowCount=0..4096 overloadedRows=bytes:0..64
48 credit > runId=1..U32 blocks=0..U32 released=0..U32
49 sampleBlock < runId=1..U32 block=0..U32 firstSample=0..U32 tick=0..U53 firstCell=0..8191 cellCount=1..8192
  sampleCount=1..U32 flags=0..7 codes=bytes:2..65536
50 resend > runId=1..U32 firstBlock=0..U32 count=1..64
51 blocksSent < runId=1..U32 blocks=0..U32
52 readAverages > runId=1..U32 part=0..1 firstEntry=0..262143 count=1..65536
52 readAverages < samples=0..U32 flags=0..3 sums=bytes:4..65536
64 readCalibration > firstByte=0..1048576 count=0..65536
64 readCalibration < length=0..1048576 crc32=0..U32 record=bytes:0..65536
65 writeCalibration > firstByte=0..1048576 record=bytes:0..65536
65 writeCalibration <
66 keepCalibration > length=0..1048576 crc32=0..U32
66 keepCalibration <
"""


def parse_messages():
    rows = []
    for line in MESSAGES.replace("\n  ", " ").strip().splitlines():
        opcode, name, arrow, *fields = line.split()
        parsed = []
        for field in fields:
            field_name, kind = field.split("=")
            if kind.startswith("text:"):
                parsed.append((field_name, "text", 0, int(kind[5:])))
                continue
            kind, limits = ("bytes", kind[6:]) if kind.startswith("bytes:") else ("integer", kind)
            low, high = (NAMED.get(limit) or int(limit) for limit in limits.split(".."))
            parsed.append((field_name, kind, low, high))
        rows.append((int(opcode), name, {">": "toDevice", "<": "toHost"}[arrow], parsed))
    return rows


BOUNDARIES = [0, 1, 2, 31, 32, 127, 128, 255, 256, 32767, 32768, U16, U16 + 1, 2**31 - 1, 2**31, U32, U32 + 1, U53]
BYTES_MOST = 300  # a long field has only this many bytes: enough for bin16, and few enough for small files


def field_value(field, level):
    _, kind, low, high = field
    length = max(low, min(level, high, BYTES_MOST))
    if kind == "integer":
        return max(low, min(level, high))
    if kind == "bytes":
        return bytes((level + 7 * i) % 256 for i in range(length))
    text = "x" * length
    for special in ("é", "漢", "😀"):  # two, three and four bytes each
        if level == U53 and len(text.encode()) == length and len(text) > 8:
            text = special + text[len(special.encode()):]
    return text


def payload_of(opcode, request_id, values):
    return msgpack([opcode, request_id, *values])


def shown(value):
    return value.hex() if isinstance(value, bytes) else value


def messages(rows):
    for opcode, name, direction, fields in rows:
        seen = set()
        for level in BOUNDARIES:
            values = [field_value(field, level) for field in fields]
            request_id = min(level, U32)
            payload = payload_of(opcode, request_id, values)
            if payload not in seen:
                seen.add(payload)
                named = {field[0]: shown(value) for field, value in zip(fields, values)}
                yield {"name": name, "direction": direction, "requestId": request_id, "fields": named,
                       "payload": payload.hex()}


def later_minor(rows):
    """Items beyond the known fields are ignored, if they are any values of the subset."""
    for opcode, name, direction, fields in rows:
        values = [field_value(field, 1) for field in fields]
        named = {field[0]: shown(value) for field, value in zip(fields, values)}
        payload = payload_of(opcode, 9, [*values, 70000, "new", b"\0", [1, 2], -5])
        yield {"name": name, "direction": direction, "requestId": 9, "fields": named, "payload": payload.hex()}


# Fields that an earlier minor leaves out at the end of a message, and what that means.
ADDED_FIELDS = {
    ("hello", "toDevice"): {"purpose": 0}, ("hello", "toHost"): {"momentCellsMax": 0, "calibrationBytesMax": 0},
    ("readCounters", "toHost"): {"naksReceived": 0, "naksSent": 0},
    ("defineProgram", "toDevice"): {"linearRows": U16}, ("start", "toDevice"): {"statistics": 0, "batchSamples": 0},
}


def earlier_version(rows):
    """Messages as they were before their last fields were added."""
    for opcode, name, direction, fields in rows:
        added = ADDED_FIELDS.get((name, direction))
        if added:
            before = [field for field in fields if field[0] not in added]
            values = [field_value(field, 1) for field in before]
            named = {field[0]: shown(value) for field, value in zip(before, values)}
            payload = payload_of(opcode, 0, values)
            yield {"name": name, "direction": direction, "requestId": 0, "fields": {**named, **added}, "payload": payload.hex()}


def values():
    """MessagePack values of the subset by themselves."""
    integers = sorted({s * (b + d) for b in BOUNDARIES for d in (-1, 0, 1) for s in (1, -1) if -(2**31) <= s * (b + d) <= U53})
    for value in integers:
        yield {"integer": value, "payload": msgpack(value).hex()}
    for length in (0, 1, 31, 32, 255, 256):
        yield {"text": "t" * length, "payload": msgpack("t" * length).hex()}
    for text in ("µV", "漢字", "😀", "\0", "\x7f\x80\u07ff\u0800\uffff\U00010000\U0010ffff"):
        yield {"text": text, "payload": msgpack(text).hex()}
    for length in (0, 1, 255, 256, 300):
        yield {"bytes": pattern(length, 5).hex(), "payload": msgpack(pattern(length, 5)).hex()}
    for count in (0, 1, 15, 16, 40):
        yield {"array": list(range(count)), "payload": msgpack(list(range(count))).hex()}
    yield {"array": [[1], [], [70000, 2]], "payload": msgpack([[1], [], [70000, 2]]).hex()}


def digests():
    for bits in range(4, 17):
        top = 2 ** (bits - 1) - 1
        couplings = [top, -top, 0, 1, -1, top // 3]
        drive, initial_state = [32767, -32768, 258], [-1, 16384, 0]
        registers = [U32 - 7 * bits, 12288 + bits, 8 + bits]
        data = struct.pack("<6b" if bits <= 8 else "<6h", *couplings) + struct.pack("<3h", *drive)
        data += struct.pack("<3h", *initial_state) + struct.pack("<3I", *registers)
        yield {"couplingBits": bits, "cells": 3, "rows": 2, "couplings": couplings, "drive": drive,
               "initialState": initial_state, "damping": registers[0], "noiseAmplitude": registers[1],
               "noiseShift": registers[2], "crc32": zlib.crc32(data), "crc32c": crc32c(data)}
    table, row_drive, linear_rows = [(i - 80) * 400 + 5 * i % 7 for i in range(161)], [-32768, 32767], 1
    couplings, drive, initial_state, registers = [1, -2, 3, -4, 5, -6], [7, 8, -9], [10, -11, 12], [13, 14000, 15]
    data = struct.pack("<6h3h3h", *couplings, *drive, *initial_state) + struct.pack("<161h2h", *table, *row_drive)
    data += struct.pack("<3I", *registers)
    yield {"couplingBits": 16, "cells": 3, "rows": 2, "couplings": couplings, "drive": drive,
           "initialState": initial_state, "damping": registers[0], "noiseAmplitude": registers[1],
           "noiseShift": registers[2], "linearRows": linear_rows, "rowTable": table, "rowDrive": row_drive,
           "crc32": zlib.crc32(data), "crc32c": crc32c(data)}
