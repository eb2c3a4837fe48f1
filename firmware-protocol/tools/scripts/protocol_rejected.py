"""A part of protocol-vectors.py: payloads that a receiver must reject, each with the kind of reason."""
from protocol_messages import ADDED_FIELDS, BYTES_MOST, field_value, payload_of
from protocol_wire import U53, msgpack


def rejected_fields(rows):
    """Every field of every row, in three ways: just outside its range, of another type, missing."""
    for opcode, name, direction, fields in rows:
        for index, (field_name, kind, low, high) in enumerate(fields):
            wrong = [("type", [7]), ("type", b"1234567" if kind != "bytes" else "12345678")]
            if kind == "integer":
                wrong += [("negative" if low == 0 else "range", low - 1)] + [("range", high + 1)] * (high < U53)
            elif kind == "bytes":
                wrong += [("range", bytes(length)) for length in (low - 1, high + 1) if 0 <= length < BYTES_MOST]
            else:
                wrong += [("range", "y" * (high + 1)), ("range", "漢" * (high // 3 + 1))]
            for reason, value in wrong:
                values = [field_value(field, 1) for field in fields]
                values[index] = value
                yield {"reason": reason, "field": field_name, "name": name, "direction": direction,
                       "payload": payload_of(opcode, 3, values).hex()}
            # The field was added later; an earlier version leaves it out.
            if field_name in ADDED_FIELDS.get((name, direction), {}):
                continue
            values = [field_value(field, 1) for field in fields[:index]]
            yield {"reason": "missing", "field": field_name, "name": name, "direction": direction,
                   "payload": payload_of(opcode, 3, values).hex()}


def rejected_payloads():
    """Payloads to the device that are not in the subset, or not [opcode, request id, …]. `93 01 05 …` is a
    ping."""
    bombs = {
        "array of 2³² − 1": "ddffffffff", "nested arrays of 2²⁸": "dd0fffffff" * 8, "bin of 4 GiB": "c6ffffffff",
        "text of 4 GiB": "dbffffffff", "map of 2³² − 1": "dfffffffff", "40 nested arrays": "91" * 40, "arrays of 15": "9f" * 40,
        "array16 of 65535": "dcffff" * 13 + "00", "array of 41 items": "dc0029" + "01" * 41,
        "three deep": "9301059191" + "01", "extension of 4 GiB": "c9ffffffff05",
    }
    for note, payload in bombs.items():
        reason = {"three deep": "depth", "40 nested arrays": "depth", "arrays of 15": "depth", "bin of 4 GiB": "length",
                  "array16 of 65535": "length", "array of 41 items": "length"}.get(note, "type byte")
        yield reason, note, payload
    ping = "930105"
    for note, item in {
        "float32": "ca3f800000", "float64": "cb3ff0000000000000", "nil": "c0", "never used": "c1", "false": "c2", "true": "c3",
        "empty map": "80", "map": "810102", "map16": "de0000", "map32": "df00000000", "ext8": "c70005", "ext16": "c8000005",
        "ext32": "c90000000005", "fixext1": "d40500", "fixext16": "d805" + "00" * 16, "timestamp": "d6ff00000000",
        "str32": "db0000000161", "array32": "dd0000000101", "int64": "d3ffffffff00000000",
    }.items():
        yield "type byte", note, ping + item
    for item in ("cc00", "cc7f", "cd00ff", "ce0000ffff", "cf00000000ffffffff", "d005", "d0e0", "d1ff80", "d10005", "d2ffff8000",
                 "d200010000", "c5000101", "c60000000101", "c50000", "d900", "d91f" + "61" * 31, "da0001" + "61",
                 "da00ff" + "61" * 255, "dc0001" + "01", "dc000f" + "01" * 15):
        yield "shortest form", item[:8], ping + item
    for item in ("cf0020000000000000", "cfffffffffffffffff", "cf0020000000000001"):
        yield "2⁵³", item, ping + item
    for item in ("da0101" + "61" * 257, "c600010001" + "00" * 4):
        yield "length", item[:10], ping + item
    for item in ("a180", "a1ff", "a2c0af", "a2c141", "a1c3", "a2c328", "a3eda080", "a3e282", "a4f08080af", "a4f4908080",
                 "a4f5808080", "a3e08080", "a3f09f98", "d920" + "61" * 31 + "c3", "d9fa" + "61" * 249 + "ff"):
        yield ("truncated" if item == "a3e282" else "UTF-8"), item[:12], ping + item
    # The next item looks like the missing byte: a text ends where its length says.
    for text, following in (("a1c3", "a0"), ("a2e282", "a0"), ("a3f09f98", "a0")):
        yield "UTF-8", f"{text}, then {following}", "940105" + text + following
    whole = "950105c403010203a3616263cf001fffffffffffff"
    for cut in range(len(whole) // 2):
        yield "truncated", f"cut after {cut}", whole[: 2 * cut]
    for item in ("cc", "cd01", "ce010203", "cf00200000000000", "d0", "d1ff", "d2ffff00", "c4", "c402ff", "c501", "c50100",
                 "c6000100", "d9", "d92061", "da01", "dc", "dc00", "dc0010" + "01" * 15, "a561"):
        yield "truncated", item[:10], ping + item
    for tail in ("00", "c0", "930105"):
        yield "trailing", tail, ping + "07" + tail
    for note, payload in {"an integer": "05", "text": "a3616263", "bytes": "c40101"}.items():
        yield "not an array", note, payload
    for note, payload in {"empty array": "90", "opcode text": "92a13105", "opcode 128": "92cc8005", "opcode −1": "92ff05",
                          "opcode an array": "92910105"}.items():
        yield "no opcode", note, payload
    for note, payload in {"none": "9101", "−1": "9301ff07", "2³²": "9301cf000000010000000007", "text": "9301a0" + "07"}.items():
        yield "no request id", note, payload
    for opcode in (11, 15, 25, 100, 127):
        yield "unknown opcode", str(opcode), msgpack([opcode, 5]).hex()
    for opcode in (7, 8, 34, 49):
        yield "unknown opcode", f"{opcode}, of the other direction", msgpack([opcode, 5, 1, 1]).hex()
