"""Prints the events of a file of TensorBoard as JSON, by the formats' descriptions alone (no TensorFlow)."""
import json
import struct
import sys


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        wire = key & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 1:
            value, at = struct.unpack("<d", data[at : at + 8])[0], at + 8
        elif wire == 5:
            value, at = struct.unpack("<f", data[at : at + 4])[0], at + 4
        else:
            length, at = varint(data, at)
            value, at = data[at : at + length], at + length
        yield key >> 3, value


def events(data):
    at = 0
    while at < len(data):
        head = data[at : at + 8]
        (length,) = struct.unpack("<Q", head)
        body = data[at + 12 : at + 12 + length]
        assert struct.unpack("<I", data[at + 8 : at + 12])[0] == masked(head)
        assert struct.unpack("<I", data[at + 12 + length : at + 16 + length])[0] == masked(body)
        at += 16 + length
        event = {"step": 0}
        for field, value in fields(body):
            if field == 2:
                event["step"] = value
            elif field == 3:
                event["version"] = value.decode()
            elif field == 5:
                pairs = [dict(fields(one)) for _, one in fields(value)]
                event["scalars"] = {pair[1].decode(): pair[2] for pair in pairs}
            elif field == 7:
                event["session"] = dict(fields(value))[1]
        yield event


print(json.dumps(list(events(open(sys.argv[1], "rb").read()))))
