"""The host's end of the link on a port: requests, their answers, and events."""

import threading
import time
from collections import deque
from typing import Any, Callable, Deque, Dict, List, Optional, TypeVar

from ..errors import ThermolinkError
from ..wire.codec import Received, pack_command, row_of, unpack_to_host
from ..wire.frames import Fault
from ..wire.link import Link
from ..wire.tables import CHANNEL
from .clock import Deadline, now_ms
from .ports import Port
from .refusals import refusal_error

Result = TypeVar("Result")

# The longest wait in one turn of the loop, in seconds. Another thread gets its turn after that.
_SLICE_SECONDS = 0.02
_RUBBISH_BYTES_MAX = 128
_LATE_ANSWERS_MAX = 64


class Connection:
    """One session with a board, over one port. Threads may share it: the thread that waits moves the bytes of
    all threads."""

    def __init__(self, port: Port) -> None:
        self.port = port
        self.link = Link(port.frame_bytes_max)
        # Called with every event of the board, in order.
        self.on_event: Callable[[Received], None] = lambda event: None
        # The first bytes that were no message. The error about a peer that is no board shows them.
        self.rubbish = b""
        # Answers to HELLO. They all have the request id 0.
        self.greetings: Deque[Received] = deque(maxlen=16)
        self.stop_answered = 0
        self.last_request_id = 0
        self._waiting: Dict[int, str] = {}
        self._answers: Dict[int, Received] = {}
        self._unsent = b""
        self._failure: Optional[ThermolinkError] = None
        self._lock = threading.RLock()
        self._asking = 0

    def begin_session(self) -> None:
        """Request ids begin with 1 in a new session (protocol.md, "Opening a session")."""
        self.last_request_id = 0
        self._waiting.clear()
        self._answers.clear()

    def request(self, name: str, deadline: Optional[Deadline] = None, **fields: Any) -> Dict[str, Any]:
        """Sends a command and returns the fields of its answer. Errors: DEVICE_REFUSED, DIGEST_MISMATCH,
        TIMEOUT, OUTCOME_UNKNOWN (the link was lost before the answer), LINK_LOST, NOT_A_BOARD."""
        return self.answer(self.submit(name, deadline, **fields), deadline)

    def submit(
        self, name: str, deadline: Optional[Deadline] = None, seconds: Optional[float] = None, **fields: Any
    ) -> int:
        """Queues a command and returns its request id, for `answer`. `seconds` replaces the command's own
        deadline."""
        limit = self._limit(name, deadline, seconds)

        def queue() -> Optional[int]:
            if not self.link.can_send:
                return None
            payload = pack_command(name, self.last_request_id + 1, fields)
            self.last_request_id += 1
            self._waiting[self.last_request_id] = name
            self.link.send_command(payload)
            return self.last_request_id

        request_id = self.wait_for(queue, limit)
        if request_id is None:
            raise _timeout_error(name, limit, was_sent=False)
        return request_id

    def answer(
        self, request_id: int, deadline: Optional[Deadline] = None, seconds: Optional[float] = None
    ) -> Dict[str, Any]:
        """Waits for the answer of a command. Errors: those of `request`."""
        name = self._waiting[request_id]
        limit = self._limit(name, deadline, seconds)
        try:
            received = self.wait_for(lambda: self._answers.pop(request_id, None), limit)
        except ThermolinkError as error:
            raise _outcome_error(name, error) from error
        finally:
            self._waiting.pop(request_id, None)
        if received is None:
            raise _timeout_error(name, limit, was_sent=True)
        if received.name != name:
            raise refusal_error(name, received)
        return received.fields

    def forget(self, request_ids: List[int]) -> None:
        """Forgets these commands: their answers are ignored from now on."""
        for request_id in request_ids:
            self._waiting.pop(request_id, None)

    def send_sample_event(self, name: str, **fields: Any) -> bool:
        """Queues a message of the sample channel. Returns False when there is no room. The link does not
        repeat the message."""
        with self._lock:
            return self.link.send_sample(pack_command(name, 0, fields))

    def wait_for(self, ready: Callable[[], Optional[Result]], deadline: Deadline) -> Optional[Result]:
        """Moves bytes until `ready` returns a value, and returns that value. Returns None after the deadline.
        Errors: LINK_LOST when the port or the link has failed."""
        while True:
            self._asking += 1
            with self._lock:
                self._asking -= 1
                result = ready()
                if result is not None:
                    self._write()
                    return result
                if self._failure is not None:
                    raise self._failure
                if deadline.is_over:
                    return None
                self._turn(deadline)
            if self._asking > 0:
                # A lock is not fair: without a pause this thread would get it again.
                time.sleep(0.0005)

    def _turn(self, deadline: Deadline) -> None:
        try:
            self._write()
            self.port.wait(self._pause(deadline), len(self._unsent) > 0)
            self._receive(self.port.read())
            self._write()
        except ThermolinkError as error:
            self.fail(error)
        except (OSError, ValueError) as error:
            # Another thread has closed the port, or the system has removed it.
            self.fail(self.port.lost(error))

    def _pause(self, deadline: Deadline) -> float:
        left = deadline.left
        seconds = _SLICE_SECONDS if left is None else min(_SLICE_SECONDS, left)
        due = self.link.next_timeout_ms
        return seconds if due is None else min(seconds, max(0.0, (due - now_ms()) / 1000.0))

    def _write(self) -> None:
        while True:
            if len(self._unsent) == 0:
                self._unsent = self.link.poll(now_ms()) or b""
                if len(self._unsent) == 0:
                    break
            written = self.port.write(self._unsent)
            self._unsent = self._unsent[written:]
            if len(self._unsent) > 0:
                break
        if self.link.failed:
            raise ThermolinkError(
                "LINK_LOST",
                f"The board on {self.port.name} stopped acknowledging.",
                "Check the cable and that the board has power, then connect again; a board that has restarted has "
                "forgotten its session.",
                retryable=True,
                data={"counters": dict(self.link.counters)},
            )

    def _receive(self, chunk: bytes) -> None:
        for item in self.link.receive(chunk, now_ms()):
            if isinstance(item, Fault):
                self._keep_rubbish(item.head)
                continue
            channel, payload = item
            message = unpack_to_host(payload)
            if message is None or CHANNEL["open"] == channel != row_of(message.name).channel:
                self._keep_rubbish(payload)
            else:
                self._deliver(message)

    def _keep_rubbish(self, data: bytes) -> None:
        self.rubbish = (self.rubbish + data)[:_RUBBISH_BYTES_MAX]

    def _deliver(self, message: Received) -> None:
        if message.name in ("hello", "helloRefused"):
            self.greetings.append(message)
        elif message.name == "stop":
            self.stop_answered = max(self.stop_answered, message.fields["stopNumber"])
        elif message.name == "refusal" or row_of(message.name).direction == "command":
            if message.request_id in self._waiting:
                self._answers[message.request_id] = message
        else:
            self.on_event(message)

    def fail(self, error: ThermolinkError) -> None:
        """Ends the connection: every call from here on gets this error."""
        if self._failure is None:
            self._failure = error

    @property
    def failure(self) -> Optional[ThermolinkError]:
        """The error that ended the connection; None while it is open."""
        return self._failure

    def close(self) -> None:
        """Closes the port. Calls that wait in other threads get LINK_LOST."""
        self.fail(self.port.lost(None))
        with self._lock:
            self.port.close()

    @staticmethod
    def _limit(name: str, deadline: Optional[Deadline], seconds: Optional[float] = None) -> Deadline:
        longest = row_of(name).timeout_ms / 1000.0 if seconds is None else seconds
        return Deadline(longest) if deadline is None else deadline.at_most(longest)


def _may_have_happened(name: str) -> bool:
    row = row_of(name)
    return row.is_once and row.channel == CHANNEL["command"]


def _timeout_error(name: str, deadline: Deadline, was_sent: bool) -> ThermolinkError:
    is_unknown = was_sent and _may_have_happened(name)
    return ThermolinkError(
        "TIMEOUT",
        f"The board did not answer {name} within {deadline.seconds or 0:g} s.",
        "The session is open and the command may still be carried out: stop the board, or read its status before you "
        "go on."
        if is_unknown
        else "Check the connection with `thermolink info`.",
        retryable=not is_unknown,
        data={"command": name},
    )


def _outcome_error(name: str, error: ThermolinkError) -> ThermolinkError:
    # An answer proves that the command was executed. Without an answer the outcome is unknown (protocol.md,
    # "At most once").
    if error.code != "LINK_LOST" or not _may_have_happened(name):
        return error
    return ThermolinkError(
        "OUTCOME_UNKNOWN",
        f"The link was lost before {name} was answered.",
        "Connect again, read the status, and load the program again.",
        data={"command": name},
    )
