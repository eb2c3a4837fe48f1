"""Opens the port that a URI names."""

from typing import Tuple
from urllib.parse import parse_qsl, urlsplit

from ..errors import ThermolinkError, bad_argument
from .ports import Port, SerialPort, TcpPort


def open_port(uri: str, timeout: float) -> Port:
    """Opens `tcp://HOST:PORT`, `serial:PATH[?baud=…]` or `hub://HOST:PORT/BOARD`. Errors: BAD_ARGUMENT,
    BAD_DEVICE_URI, those of the port."""
    if not isinstance(uri, str):
        raise bad_argument("uri", uri, "a text", "For example 'tcp://127.0.0.1:7000'.")
    if uri.startswith("tcp://"):
        return TcpPort(*_tcp_address(uri), timeout)
    if uri.startswith("serial:"):
        path, _, query = uri[len("serial:") :].partition("?")
        return SerialPort(path, _baud(uri, path, query))
    if uri.startswith(("hub://", "hubs://")):
        # The module is loaded only here, because most programs need neither HTTP nor TLS.
        from .hub_port import HubPort

        return HubPort(uri, timeout)
    hint = "It takes tcp://HOST:PORT, serial:PATH and hub://HOST:PORT/BOARD."
    if uri.startswith(("emulator:", "replay:")):
        hint = "Serve it by `thermolink emulate --tcp 127.0.0.1:7000`, and connect to tcp://127.0.0.1:7000."
    raise ThermolinkError("BAD_DEVICE_URI", f"{uri!r} is no URI that this package opens.", hint)


def _tcp_address(uri: str) -> Tuple[str, int]:
    try:
        parts = urlsplit(uri)
        host, number = parts.hostname, parts.port
    except ValueError as error:
        raise ThermolinkError("BAD_DEVICE_URI", f"{uri!r} has no good address: {error}.") from error
    if not host or not number or parts.path not in ("", "/") or parts.query:
        raise ThermolinkError(
            "BAD_DEVICE_URI",
            f"{uri!r} is not of the form tcp://HOST:PORT.",
            "For example tcp://127.0.0.1:7000.",
        )
    return host, number


def _baud(uri: str, path: str, query: str) -> int:
    options = dict(parse_qsl(query, keep_blank_values=True))
    text = options.pop("baud", "115200")
    if path == "" or options or not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ThermolinkError(
            "BAD_DEVICE_URI",
            f"{uri!r} is not of the form serial:PATH[?baud=RATE].",
            "For example serial:/dev/ttyACM0?baud=1000000. This package does not look up ports by USB identity.",
        )
    return int(text)
