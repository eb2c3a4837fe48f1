"""The types of the rows of the message tables. `tables.py` uses them."""

from dataclasses import dataclass
from typing import Mapping, Optional, Tuple, Union


@dataclass(frozen=True)
class Integer:
    """A whole number from `least` to `most`. `absent` is the value of a field that an earlier version leaves
    out."""

    name: str
    least: int
    most: int
    absent: Optional[int] = None

    def fault(self, value: object) -> Optional[str]:
        """Why the value does not fit; None if it fits."""
        if type(value) is not int:
            return "is no whole number"
        return None if self.least <= value <= self.most else f"is outside {self.least} … {self.most}"


@dataclass(frozen=True)
class Choice:
    """One of a few named numbers."""

    name: str
    choices: Mapping[str, int]
    absent: Optional[int] = None

    def fault(self, value: object) -> Optional[str]:
        """Why the value does not fit; None if it fits."""
        return None if type(value) is int and value in self.choices.values() else "is none of its choices"


@dataclass(frozen=True)
class Bytes:
    """Raw bytes; numbers in them are little-endian."""

    name: str
    least: int
    most: int
    absent = None

    def fault(self, value: object) -> Optional[str]:
        """Why the value does not fit; None if it fits."""
        if not isinstance(value, bytes):
            return "is no bytes"
        return None if self.least <= len(value) <= self.most else f"has {len(value)} bytes"


@dataclass(frozen=True)
class Text:
    """UTF-8 text of at most `most` bytes."""

    name: str
    most: int
    absent = None

    def fault(self, value: object) -> Optional[str]:
        """Why the value does not fit; None if it fits."""
        if not isinstance(value, str):
            return "is no text"
        return None if len(value.encode()) <= self.most else "is too long"


Field = Union[Integer, Choice, Bytes, Text]


@dataclass(frozen=True)
class Message:
    """One row of the tables. `direction` is `command`, `toDevice` or `toHost`. `answer` has the fields of the
    answer to a command."""

    opcode: int
    name: str
    direction: str
    channel: int
    timeout_ms: int
    is_once: bool
    fields: Tuple[Field, ...]
    answer: Tuple[Field, ...] = ()
