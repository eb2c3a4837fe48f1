"""Reads an MCAP file and prints what is in it as JSON.

Written from the specification (https://mcap.dev/spec) with the standard library alone, as an oracle for the
files that this project writes. It checks every checksum, every index and the order of records.
"""

import json
import struct
import sys
import zlib

MAGIC = b"\x89MCAP0\r\n"


class Cursor:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        part = self.data[self.at : self.at + count]
        assert len(part) == count, "a field lies beyond its record"
        self.at += count
        return part

    def number(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]

    def text(self):
        return self.take(self.number("I")).decode("utf-8")

    def mapping(self, key, value):
        end = self.number("I") + self.at
        result = {}
        while self.at < end:
            k = key()
            result[k] = value()
        assert self.at == end
        return result


def records(data, start, end):
    at = start
    while at < end:
        opcode, length = data[at], struct.unpack_from("<Q", data, at + 1)[0]
        assert at + 9 + length <= end, "a record ends behind its place"
        yield at, opcode, data[at + 9 : at + 9 + length]
        at += 9 + length


def read(data):
    assert data[:8] == MAGIC and data[-8:] == MAGIC, "magic"
    footer_at = len(data) - 8 - 29
    assert data[footer_at] == 0x02, "the footer"
    summary_start, summary_offset_start, summary_crc = struct.unpack_from("<QQI", data, footer_at + 9)
    assert zlib.crc32(data[summary_start : footer_at + 25]) == summary_crc, "CRC of the summary"
    channels, schemas, messages, attachments, metadata = {}, {}, [], [], []
    chunks = {}

    def channel(content):
        c = Cursor(content)
        number, schema, topic, encoding = c.number("H"), c.number("H"), c.text(), c.text()
        described = (schema, topic, encoding, c.mapping(c.text, c.text))
        assert channels.setdefault(number, described) == described, "a channel changes"
        assert schema == 0 or schema in schemas, "a channel before its schema"

    def schema(content):
        c = Cursor(content)
        number, name, encoding = c.number("H"), c.text(), c.text()
        schemas[number] = (name, encoding, json.loads(c.take(c.number("I"))))

    for at, opcode, content in records(data, 8, summary_start):
        c = Cursor(content)
        if opcode == 0x01:
            assert at == 8 and c.text() == "thermolink", "the header"
        elif opcode == 0x06:
            start, end, size, crc = (c.number(f) for f in ("Q", "Q", "Q", "I"))
            compression = c.text()
            stored = c.take(c.number("Q"))
            assert compression == "" and len(stored) == size and zlib.crc32(stored) == crc, "a chunk"
            places = {}
            for offset, inner, body in records(stored, 0, len(stored)):
                if inner == 0x03:
                    schema(body)
                elif inner == 0x04:
                    channel(body)
                else:
                    assert inner == 0x05
                    m = Cursor(body)
                    number, sequence, time, published = (m.number(f) for f in ("H", "I", "Q", "Q"))
                    assert number in channels and start <= time <= end and time == published
                    places.setdefault(number, []).append((time, offset))
                    messages.append((number, sequence, time, body[m.at :]))
            chunks[at] = (start, end, 9 + len(content), places)
            last = places
        elif opcode == 0x07:
            number = c.number("H")
            count = c.number("I") // 16
            entries = [(c.number("Q"), c.number("Q")) for _ in range(count)]
            assert last.pop(number) == entries, "an index of messages"
        elif opcode == 0x09:
            c.take(16)
            name, media = c.text(), c.text()
            size = c.number("Q")
            c.take(size)
            assert zlib.crc32(content[: c.at]) == c.number("I"), "CRC of an attachment"
            attachments.append((name, size))
        elif opcode == 0x0C:
            metadata.append((c.text(), c.mapping(c.text, c.text)))
        else:
            assert opcode == 0x0F, opcode
    indexed, groups = 0, {}
    for at, opcode, content in records(data, summary_start, summary_offset_start):
        groups.setdefault(opcode, [at, 0])
        groups[opcode][1] = at + 9 + len(content) - groups[opcode][0]
        if opcode == 0x08:
            c = Cursor(content)
            start, end, place, length = (c.number("Q") for _ in range(4))
            assert chunks[place][:3] == (start, end, length), "an index of a chunk"
            indexed += 1
        elif opcode == 0x0B:
            c = Cursor(content)
            assert c.number("Q") == len(messages), "the number of messages"
    for _, opcode, content in records(data, summary_offset_start, footer_at):
        assert opcode == 0x0E
        c = Cursor(content)
        group = c.number("B")
        assert groups[group] == [c.number("Q"), c.number("Q")], "a group of the summary"
    assert indexed == len(chunks), "every chunk is indexed"
    return channels, messages, attachments, metadata, indexed, len(chunks)


def main():
    with open(sys.argv[1], "rb") as file:
        channels, messages, attachments, metadata, indexed, counted = read(file.read())
    as_json, link_bytes = [], {"toDevice": 0, "toHost": 0}
    for number, _, _, body in messages:
        _, topic, encoding, facts = channels[number]
        if encoding == "json":
            as_json.append([topic, json.loads(body)["requestId"]])
        else:
            link_bytes[facts["direction"]] += len(body)
    print(
        json.dumps(
            {
                "json": as_json,
                "linkBytes": link_bytes,
                "attachments": attachments,
                "metadata": [name for name, _ in metadata],
                "indexed": indexed,
                "counted": counted,
            }
        )
    )


main()
