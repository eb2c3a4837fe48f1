"""Opens a session with a board (protocol.md, "Opening a session" and "Nonces")."""

import os
from typing import Optional

from ..errors import ThermolinkError
from ..wire.codec import Received, pack_command
from ..wire.command_sender import LinkLimits
from ..wire.tables import NONCE_BYTES, PROTOCOL_MAJOR, PROTOCOL_MINOR, REFUSAL, TABLE_HASH
from .clock import Deadline
from .connection import Connection
from .identity import Identity, identity_of
from .refusals import hello_refused_error, version_error

_HELLO_SECONDS = 0.2
_WINDOW = 32
# The number of nonces to try. It is more than a board remembers.
_NONCES_TRIED_MAX = 16

_last_first_byte = os.urandom(1)[0]


def new_nonce() -> bytes:
    """A nonce whose first byte differs from those of the last 254 of this process. Frames carry only this
    byte, so a late frame of an earlier session cannot be taken for a frame of the new one (protocol.md,
    "Nonces")."""
    global _last_first_byte
    _last_first_byte = _last_first_byte % 255 + 1
    return bytes([_last_first_byte]) + os.urandom(NONCE_BYTES - 1)


class OpenedSession:
    """The nonce of a session, and the identity of its board."""

    def __init__(self, nonce: bytes, identity: Identity) -> None:
        self.nonce = nonce
        self.identity = identity


def open_session(connection: Connection, timeout: float) -> OpenedSession:
    """Sends HELLO every 200 ms until the board answers. Errors: NO_ANSWER, NOT_A_BOARD, VERSION_MISMATCH,
    BUSY, LINK_LOST."""
    deadline = Deadline(timeout)
    for _ in range(_NONCES_TRIED_MAX):
        nonce = new_nonce()
        answer = _greet(connection, nonce, deadline)
        if answer is None:
            raise _no_answer_error(connection, timeout)
        fields = answer.fields
        if answer.name == "hello":
            has_same_tables = fields["minor"] != PROTOCOL_MINOR or fields["tableHash"] == TABLE_HASH
            if fields["major"] != PROTOCOL_MAJOR or not has_same_tables:
                raise version_error(fields)
            frame_bytes = min(fields["frameBytes"], connection.port.frame_bytes_max)
            connection.begin_session()
            connection.link.open_session(
                nonce, LinkLimits(frame_bytes, fields["window"], fields["inFlightBytes"])
            )
            return OpenedSession(nonce, identity_of(fields))
        if fields["reason"] != REFUSAL["stale"]:
            break
    raise hello_refused_error(connection.port.name, fields)


def _greet(connection: Connection, nonce: bytes, deadline: Deadline) -> Optional[Received]:
    payload = pack_command(
        "hello",
        0,
        {
            "nonce": nonce,
            "major": PROTOCOL_MAJOR,
            "minor": PROTOCOL_MINOR,
            "tableHash": TABLE_HASH,
            "frameBytes": connection.port.frame_bytes_max,
            "window": _WINDOW,
            "purpose": 0,
        },
    )

    def answered() -> Optional[Received]:
        # An answer with another nonce belongs to another client and was still in a buffer.
        return next((one for one in connection.greetings if one.fields["nonce"] == nonce), None)

    while not deadline.is_over:
        connection.link.send_open(payload)
        answer = connection.wait_for(answered, deadline.at_most(_HELLO_SECONDS))
        if answer is not None:
            return answer
    return None


def _no_answer_error(connection: Connection, timeout: float) -> ThermolinkError:
    name, rubbish = connection.port.name, connection.rubbish or connection.link.pending_head
    if len(rubbish) == 0:
        return ThermolinkError(
            "NO_ANSWER",
            f"Nothing on {name} answered within {timeout:g} s.",
            "Check that the board has power, that the cable carries data, and that this is its port.",
            retryable=True,
        )
    return ThermolinkError(
        "NOT_A_BOARD",
        f"{name} answers, but not in this protocol: {rubbish[:32]!r}.",
        "Is it the right port, and the right baud rate?",
        data={"received": rubbish.hex()},
    )
