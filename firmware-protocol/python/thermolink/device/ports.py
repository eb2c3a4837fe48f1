"""Byte ports: their base class, TCP and serial lines. Only `wait` blocks, up to a given time."""

import errno
import os
import select
import socket
import time
from typing import Optional

from ..errors import ThermolinkError

_READ_BYTES = 65536
# The pause between two looks at a port that cannot signal its bytes, in seconds.
_LOOK_SECONDS = 0.002


class Port:
    """A line to a board. `name` is for people. `frame_bytes_max` is the longest frame that is sent over
    it."""

    name: str
    frame_bytes_max = 65536

    def wait(self, seconds: float, for_room: bool) -> None:
        """Returns when bytes are there, when there is room to write (only with `for_room`), or after
        `seconds`."""
        raise NotImplementedError

    def read(self) -> bytes:
        """The bytes that have come, or no bytes. Errors: LINK_LOST."""
        raise NotImplementedError

    def write(self, data: bytes) -> int:
        """Writes as many bytes as there is room for, and returns their number. Errors: LINK_LOST."""
        raise NotImplementedError

    def close(self) -> None:
        """Closes the line. A second call does nothing."""
        raise NotImplementedError

    def lost(self, cause: Optional[BaseException]) -> ThermolinkError:
        """The error of a line that has ended."""
        error = ThermolinkError(
            "LINK_LOST",
            f"The port {self.name} was closed.",
            "Check the cable and that the board has power, then connect again.",
            retryable=True,
        )
        error.__cause__ = cause
        return error


def connect_socket(name: str, host: str, number: int, timeout: float, hint: str) -> socket.socket:
    """A TCP connection. `hint` says what to do if nothing listens there. Errors: CANNOT_CONNECT,
    NO_ANSWER."""
    try:
        line = socket.create_connection((host, number), timeout)
    except socket.timeout as error:
        raise ThermolinkError(
            "NO_ANSWER",
            f"{name} did not take the connection within {timeout:g} s.",
            "Check the address, and that no firewall drops the connection.",
            retryable=True,
        ) from error
    except OSError as error:
        raise ThermolinkError(
            "CANNOT_CONNECT", f"No connection to {name}: {error.strerror or error}.", hint, retryable=True
        ) from error
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


class SocketPort(Port):
    """A connected socket. The caller sets `name`."""

    def __init__(self, line: socket.socket) -> None:
        self._socket = line
        self._socket.setblocking(False)

    def wait(self, seconds: float, for_room: bool) -> None:
        select.select([self._socket], [self._socket] if for_room else [], [], max(0.0, seconds))

    def read(self) -> bytes:
        try:
            data = self._socket.recv(_READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError as error:
            raise self.lost(error) from error
        if data == b"":
            raise self.lost(None)
        return data

    def write(self, data: bytes) -> int:
        try:
            return self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            raise self.lost(error) from error

    def close(self) -> None:
        self._socket.close()


class TcpPort(SocketPort):
    """A TCP connection to a board. Errors: CANNOT_CONNECT, NO_ANSWER."""

    def __init__(self, host: str, number: int, timeout: float) -> None:
        self.name = f"tcp://{host}:{number}"
        hint = "Is a board served there? `thermolink emulate --tcp HOST:PORT` serves an emulated one."
        super().__init__(connect_socket(self.name, host, number, timeout, hint))


class SerialPort(Port):
    """A serial line or pseudo-terminal, by pyserial. `baud` in bit/s. Errors: MISSING_PACKAGE,
    PORT_NOT_FOUND, PORT_DENIED, PORT_BUSY, BAD_DEVICE_URI."""

    def __init__(self, path: str, baud: int) -> None:
        self.name = f"serial:{path}"
        try:
            import serial
        except ImportError as error:
            raise ThermolinkError(
                "MISSING_PACKAGE",
                "Serial ports need the package pyserial, which does not load.",
                "Run `pip install pyserial`.",
            ) from error
        exclusive = True if os.name == "posix" else None
        try:
            self._serial = serial.Serial(path, baud, timeout=0, write_timeout=0, exclusive=exclusive)
        except (serial.SerialException, OSError, ValueError) as error:
            raise _open_error(path, error) from error
        # On POSIX the file descriptor itself is read and written, because pyserial uses the whole processor
        # while it waits for room to write.
        self._file = self._serial.fileno() if os.name == "posix" else None

    def wait(self, seconds: float, for_room: bool) -> None:
        if self._file is not None:
            select.select([self._file], [self._file] if for_room else [], [], max(0.0, seconds))
            return
        until = time.monotonic() + seconds
        while self._serial.in_waiting == 0 and not for_room and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)

    def read(self) -> bytes:
        try:
            if self._file is None:
                return self._serial.read(self._serial.in_waiting)
            data = os.read(self._file, _READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError as error:
            raise self.lost(error) from error
        if data == b"" and select.select([self._file], [], [], 0)[0]:
            # A line that is ready but has no bytes was closed by the other end.
            raise self.lost(None)
        return data

    def write(self, data: bytes) -> int:
        try:
            if self._file is None:
                return self._serial.write(data) or 0
            return os.write(self._file, data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            raise self.lost(error) from error

    def close(self) -> None:
        self._serial.close()


def _open_error(path: str, cause: BaseException) -> ThermolinkError:
    number = getattr(cause, "errno", None)
    text = str(cause)
    code, hint = "PORT_NOT_FOUND", "See `thermolink devices` for the ports there are."
    if number in (errno.EACCES, errno.EPERM):
        code, hint = "PORT_DENIED", "`ls -l` shows the group that may open the port: become a member of this group."
    elif number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK) or "exclusively lock" in text:
        code, hint = "PORT_BUSY", "Close the other program that has the port open."
    elif isinstance(cause, ValueError):
        code, hint = "BAD_DEVICE_URI", "The port does not support this baud rate."
    return ThermolinkError(
        code,
        f"The port {path} can't be opened: {text}.",
        hint,
        retryable=code == "PORT_BUSY",
        data={"path": path},
    )
