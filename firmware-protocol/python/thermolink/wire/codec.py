"""Payloads: MessagePack arrays [opcode, request id, fields in order] (protocol.md, "Payloads")."""

from dataclasses import dataclass
from typing import Any, Dict, Optional, Sequence, Tuple

import msgpack

from .fields import Field, Message
from .tables import (
    ARRAY_DEPTH_MAX,
    ARRAY_ITEMS_MAX,
    FRAME_BYTES_MAX,
    MESSAGES,
    SAFE_INTEGER_MAX,
    TEXT_BYTES_MAX,
    U32_MAX,
)

_BY_NAME = {row.name: row for row in MESSAGES}
_BY_OPCODE = {row.opcode: row for row in MESSAGES}
_LEAST = -(2**31)
_OPCODE_MAX = 127


def row_of(name: str) -> Message:
    """The row of a message. An unknown name is a bug (KeyError)."""
    return _BY_NAME[name]


@dataclass(frozen=True)
class Received:
    """A message to the host. `name` is `refusal` for a refused command."""

    name: str
    request_id: int
    fields: Dict[str, Any]


def pack_command(name: str, request_id: int, fields: Dict[str, Any]) -> bytes:
    """The payload of a command or event to the device. A field out of its range is a bug (ValueError)."""
    row = row_of(name)
    return pack_fields(row.opcode, request_id, row.fields, fields)


def pack_fields(opcode: int, request_id: int, rows: Sequence[Field], fields: Dict[str, Any]) -> bytes:
    """The payload with these fields. A field that is missing or out of its range is a bug (ValueError)."""
    values = []
    for row in rows:
        value = fields.get(row.name, row.absent)
        fault = row.fault(value)
        if fault is not None:
            raise ValueError(f"bug: {row.name} {fault}")
        values.append(value)
    return msgpack.packb([opcode, request_id, *values], use_bin_type=True)


def unpack_to_host(payload: bytes) -> Optional[Received]:
    """The message in a payload from a device; None if the payload is no message. Never raises."""
    items = unpack_items(payload)
    if items is None:
        return None
    opcode, request_id, values = items
    row = _BY_OPCODE.get(opcode)
    if row is None or row.direction == "toDevice":
        return None
    fields = match_fields(row.answer if row.direction == "command" else row.fields, values)
    return None if fields is None else Received(row.name, request_id, fields)


def unpack_items(payload: bytes) -> Optional[Tuple[int, int, Sequence[Any]]]:
    """Opcode, request id and values of a payload. None if the payload is not in the restricted MessagePack of
    protocol.md, "Payloads"."""
    try:
        value = msgpack.unpackb(
            payload,
            raw=False,
            use_list=True,
            max_str_len=TEXT_BYTES_MAX,
            max_bin_len=FRAME_BYTES_MAX,
            max_array_len=ARRAY_ITEMS_MAX,
            max_map_len=0,
            max_ext_len=0,
        )
        # Only the shortest form of every value is allowed. Packing gives this form.
        if not _is_allowed(value, 0) or msgpack.packb(value, use_bin_type=True) != payload:
            return None
    except (ValueError, msgpack.UnpackException, RecursionError):
        return None
    if not isinstance(value, list) or len(value) < 2:
        return None
    opcode, request_id, *rest = value
    is_head = type(opcode) is int and type(request_id) is int
    if not is_head or not 0 <= opcode <= _OPCODE_MAX or not 0 <= request_id <= U32_MAX:
        return None
    return opcode, request_id, rest


def match_fields(rows: Sequence[Field], values: Sequence[Any]) -> Optional[Dict[str, Any]]:
    """The values by name; None if one does not fit. Items beyond the rows belong to a later minor version. A
    missing field has the default value of its row (protocol.md, "Versions")."""
    fields = {}
    for at, row in enumerate(rows):
        value = values[at] if at < len(values) else row.absent
        if row.fault(value) is not None:
            return None
        fields[row.name] = value
    return fields


def _is_allowed(value: Any, depth: int) -> bool:
    if isinstance(value, list):
        return depth < ARRAY_DEPTH_MAX and all(_is_allowed(item, depth + 1) for item in value)
    if type(value) is int:
        return _LEAST <= value <= SAFE_INTEGER_MAX
    return isinstance(value, (str, bytes))
