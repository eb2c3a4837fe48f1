"""The errors for commands that a board refuses."""

from ..errors import ThermolinkError
from ..wire.codec import Received
from ..wire.tables import DEVICE_STATE, PROTOCOL_MAJOR, PROTOCOL_MINOR, REFUSAL, TABLE_HASH

_REASONS = {code: name for name, code in REFUSAL.items()}
_STATES = {code: name for name, code in DEVICE_STATE.items()}
_HINTS = {
    "cancelled": "A stop cancelled the command; call `acknowledge` before you go on.",
    "wrongState": "Read the status; after a stop or a fault, acknowledge first.",
    "digestMismatch": "The program was damaged on the line or was changed in the bank; load it again.",
    "notCommitted": "Load a program into the bank first.",
    "bankBusy": "Load the other bank, or wait for the run to end.",
}


def state_name(code: int) -> str:
    """The name of a state of the board."""
    return _STATES[code]


def refusal_error(command: str, message: Received) -> ThermolinkError:
    """The error for a command that the board answered with a refusal or with a wrong message."""
    if message.name != "refusal":
        return ThermolinkError(
            "NOT_A_BOARD",
            f"The board answered {command} with {message.name}.",
            "Its firmware does not follow the protocol; see docs/reference/protocol.md.",
        )
    reason, detail = _REASONS[message.fields["reason"]], message.fields["detail"]
    code = "DIGEST_MISMATCH" if reason == "digestMismatch" else "DEVICE_REFUSED"
    return ThermolinkError(
        code,
        f"The board refused {command}: {reason} ({detail}).",
        _HINTS.get(reason),
        data={
            "command": command,
            "reason": reason,
            "detail": detail,
            "state": state_name(message.fields["state"]),
        },
    )


def version_error(fields: dict) -> ThermolinkError:
    """The error if the two ends speak different protocols (protocol.md, "Versions")."""
    own = f"{PROTOCOL_MAJOR}.{PROTOCOL_MINOR} (tables {TABLE_HASH.hex()})"
    board = f"{fields['major']}.{fields['minor']} (tables {fields['tableHash'].hex()})"
    return ThermolinkError(
        "VERSION_MISMATCH",
        f"This host speaks protocol {own}, the board {board}.",
        "Update the older of the two. A release before protocol 1.1 works only with firmware of the same release.",
        data={"own": own, "board": board},
    )


def hello_refused_error(port_name: str, fields: dict) -> ThermolinkError:
    """The error for a HELLO that the board refused. After `stale` the caller first tries other nonces."""
    reason = _REASONS[fields["reason"]]
    if reason == "version":
        return version_error(fields)
    if reason == "unsupported":
        return ThermolinkError(
            "UNSUPPORTED",
            f"The board on {port_name} opens no session with this host.",
            "A replayed session answers only the recorded requests; its server reports the difference.",
        )
    if reason == "stale":
        return ThermolinkError(
            "SESSION_LOST",
            f"{port_name} refused every nonce that it was offered.",
            "Wait a moment, then connect again.",
            retryable=True,
        )
    return ThermolinkError(
        "BUSY",
        f"The board on {port_name} serves another client.",
        "Close the other program, or wait until it is done.",
        retryable=True,
    )
