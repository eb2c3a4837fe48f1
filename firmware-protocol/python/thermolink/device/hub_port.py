"""A board that a hub shares (`thermolink serve`): `hub://HOST:PORT/BOARD`, or `hubs://` with TLS.

The client asks over HTTP for the link of a board. After the HTTP status 101 the connection carries the bytes
of the board unchanged, in both directions."""

import json
import os
import socket
import ssl
from typing import Dict, Optional, Tuple
from urllib.parse import parse_qsl, urlsplit

from ..errors import ThermolinkError
from .ports import Port, SocketPort, connect_socket

TOKEN_VARIABLE = "THERMOLINK_TOKEN"
_HEAD_BYTES_MAX = 16384
_WAIT_SECONDS_MAX = 86400
_FORM = "hub://HOST:PORT/BOARD[?wait_s=…&takeover=1&token_file=…], or hubs:// with ca_file=… too"
_RETRYABLE = (409, 429, 503)


class HubPort(SocketPort):
    """The lease of a shared board. Errors: BAD_DEVICE_URI, BAD_FILE, CANNOT_CONNECT, NO_ANSWER; the refusals
    of the server: NOT_ALLOWED, BUSY."""

    def __init__(self, uri: str, timeout: float) -> None:
        scheme, host, number, board, options = _parts(uri)
        self.name = f"{scheme}://{host}:{number}/{board}"
        wait = int(options.get("wait_s", "0"))
        token = _token(options.get("token_file"))
        line = connect_socket(self.name, host, number, timeout, "Is `thermolink serve` running there?")
        try:
            line.settimeout(timeout + wait)
            if scheme == "hubs":
                context = ssl.create_default_context(cafile=options.get("ca_file"))
                line = context.wrap_socket(line, server_hostname=host)
            query = f"?wait_s={wait}" + ("&takeover=1" if options.get("takeover") == "1" else "")
            shown = f"[{host}]" if ":" in host else host
            head = [
                f"GET /api/boards/{board}/link{query} HTTP/1.1",
                f"Host: {shown}:{number}",
                "Connection: Upgrade",
                "Upgrade: thermolink",
                *([f"Authorization: Bearer {token}"] if token else []),
            ]
            line.sendall("\r\n".join([*head, "", ""]).encode("ascii"))
            status, headers, rest = _answer(line)
            if status != 101:
                raise _refusal(self.name, status, headers, rest, line)
        except ThermolinkError:
            line.close()
            raise
        except ssl.SSLError as error:
            line.close()
            raise ThermolinkError(
                "CANNOT_CONNECT",
                f"No connection to {self.name}: {error.reason or error}.",
                "Name the certificate of the server by ca_file=PATH; write hub:// for a server without one.",
            ) from error
        except socket.timeout as error:
            line.close()
            raise ThermolinkError(
                "NO_ANSWER",
                f"{self.name} gave no board in time.",
                "Another client may have the board: give a larger wait_s.",
                retryable=True,
            ) from error
        except OSError as error:
            line.close()
            raise ThermolinkError(
                "CANNOT_CONNECT",
                f"No connection to {self.name}: {error.strerror or error}.",
                "If the server has a certificate, write hubs:// in place of hub://.",
                retryable=True,
            ) from error
        size = headers.get("thermolink-frame-bytes-max", "")
        if size.isascii() and size.isdigit() and int(size) >= 256:
            self.frame_bytes_max = min(65536, int(size))
        self._early = rest
        super().__init__(line)

    def wait(self, seconds: float, for_room: bool) -> None:
        pending = getattr(self._socket, "pending", None)
        if self._early or (pending is not None and pending() > 0):
            return
        super().wait(seconds, for_room)

    def read(self) -> bytes:
        if self._early:
            early, self._early = self._early, b""
            return early
        try:
            return super().read()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""

    def write(self, data: bytes) -> int:
        try:
            return super().write(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0


def _parts(uri: str) -> Tuple[str, str, int, str, Dict[str, str]]:
    try:
        parts = urlsplit(uri)
        host, number = parts.hostname, parts.port
    except ValueError as error:
        raise ThermolinkError("BAD_DEVICE_URI", f"{uri!r} has no good address: {error}.") from error
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    board = parts.path.strip("/")
    known = {"wait_s", "takeover", "token_file"} | ({"ca_file"} if parts.scheme == "hubs" else set())
    wait = options.get("wait_s", "0")
    good_wait = wait.isascii() and wait.isdigit() and int(wait) <= _WAIT_SECONDS_MAX
    good_board = board != "" and board.isascii() and all(c.isalnum() or c in "._-" for c in board)
    if "token" in options:
        raise ThermolinkError(
            "BAD_DEVICE_URI",
            "A token does not belong into a URI.",
            f"Set {TOKEN_VARIABLE}, or give token_file=PATH.",
        )
    if not host or not number or not good_board or not good_wait or not set(options) <= known:
        raise ThermolinkError("BAD_DEVICE_URI", f"{uri!r} is not of the form {_FORM}.")
    return parts.scheme, host, number, board, options


def _token(path: Optional[str]) -> str:
    if path is None:
        text = os.environ.get(TOKEN_VARIABLE, "")
    else:
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except OSError as error:
            raise ThermolinkError("BAD_FILE", f"{path} can't be read: {error.strerror}.") from error
    token = text.strip()
    if not all("!" <= c <= "~" for c in token):
        raise ThermolinkError(
            "BAD_FILE",
            f"{path or TOKEN_VARIABLE} holds no token: a token has no blanks and no line ends.",
            "Write the token alone into the file.",
        )
    return token


def _answer(line: socket.socket) -> Tuple[int, Dict[str, str], bytes]:
    """Status, headers and the bytes that came after them."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = line.recv(4096)
        data += more
        if more == b"" or len(data) > _HEAD_BYTES_MAX:
            raise ThermolinkError("CANNOT_CONNECT", "The answer is not that of a hub.", retryable=True)
    head, _, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) < 2 or not words[1].isdigit():
        raise ThermolinkError("CANNOT_CONNECT", "The answer is not that of a hub.")
    pairs = (text.partition(":") for text in lines)
    return int(words[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}, rest


def _refusal(
    name: str, status: int, headers: Dict[str, str], rest: bytes, line: socket.socket
) -> ThermolinkError:
    length = headers.get("content-length", "0")
    wanted = min(_HEAD_BYTES_MAX, int(length) if length.isdigit() else 0)
    while len(rest) < wanted:
        more = line.recv(wanted - len(rest))
        if more == b"":
            break
        rest += more
    try:
        body = json.loads(rest)
        code, message, remedy = str(body["code"]), str(body["message"]), str(body["remedy"])
    except (ValueError, KeyError, TypeError):
        return ThermolinkError("CANNOT_CONNECT", f"{name} answered with HTTP status {status}.")
    return ThermolinkError(
        code, f"{name}: {message}", remedy, retryable=status in _RETRYABLE, data={"status": status}
    )
