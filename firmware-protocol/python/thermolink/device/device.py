"""A connected board in codes and ticks: programs, board runs, status, stop."""

import threading
from typing import Any, Dict, Optional

from ..arguments import check_whole
from ..errors import ThermolinkError
from ..wire.codec import pack_command
from ..wire.tables import (
    CELLS_MAX,
    FAULT,
    SAFE_INTEGER_MAX,
    U32_MAX,
    WATCHDOG_MS_DEFAULT,
    WATCHDOG_MS_MAX,
    WATCHDOG_MS_MIN,
)
from .clock import Deadline
from .connection import Connection
from .hello import open_session
from .identity import Identity
from .open_port import open_port
from .program import Program
from .refusals import state_name
from .runs import CREDIT_BLOCKS, Run, RunWatcher
from .upload import CommitReport, Uploader

_STOP_REPEAT_SECONDS = 0.05
_STOP_SECONDS = 2.0
# Largest number of codes of one run: 512 MiB.
_CODES_MAX = CELLS_MAX * 32768
_FAULTS = {code: name for name, code in FAULT.items()}


class Device:
    """A session with a board. `timeout` in seconds bounds the time for connecting. Errors: BAD_DEVICE_URI,
    those of `open_port` and `open_session`."""

    def __init__(self, uri: str, timeout: float = 5.0) -> None:
        port = open_port(uri, timeout)
        self._connection = Connection(port)
        try:
            session = open_session(self._connection, timeout)
        except BaseException:
            self._connection.close()
            raise
        self.uri = uri
        self.identity: Identity = session.identity
        self._nonce = session.nonce
        self._stop_number = 0
        self._stop_lock = threading.Lock()
        self._uploader = Uploader(self._connection)
        # N of the program in each bank.
        self._cells: Dict[int, int] = {}

    def load_program(self, bank: int, program: Program, deadline: Deadline) -> CommitReport:
        """Uploads a whole program and commits it. Errors: BAD_ARGUMENT before a byte is sent;
        DIGEST_MISMATCH, DEVICE_REFUSED, those of the link."""
        self._check(bank, program)
        self._cells[bank] = program.cells
        return self._uploader.load(bank, program, deadline)

    def rewrite_program(self, bank: int, program: Program, deadline: Deadline) -> CommitReport:
        """Replaces everything except the couplings of a loaded program, and commits it. Errors: those of
        `load_program`."""
        self._check(bank, program)
        return self._uploader.rewrite(bank, program, deadline)

    def _check(self, bank: int, program: Program) -> None:
        check_whole("bank", bank, 0, self.identity.banks - 1)
        program.check()

    def acquire(
        self,
        bank: int,
        run_seed: int,
        burn_in_ticks: int,
        sample_count: int,
        ticks_per_sample: int,
        deadline: Deadline,
        first_tick: int = 0,
        keeps_state: bool = False,
        on_overload: str = "halt",
        watchdog_ms: int = WATCHDOG_MS_DEFAULT,
    ) -> Run:
        """Runs the program of a bank and returns all samples. Sample i is read after burn_in_ticks +
        i·ticks_per_sample ticks. Errors: BAD_ARGUMENT before a byte is sent; those of `RunWatcher.finish`."""
        identity = self.identity
        check_whole("bank", bank, 0, identity.banks - 1)
        check_whole("run_seed", run_seed, 0, U32_MAX)
        check_whole("first_tick", first_tick, 0, SAFE_INTEGER_MAX)
        check_whole("burn_in_ticks", burn_in_ticks, 0, SAFE_INTEGER_MAX)
        check_whole("sample_count", sample_count, 0, U32_MAX)
        check_whole("ticks_per_sample", ticks_per_sample, 0, U32_MAX)
        check_whole("watchdog_ms", watchdog_ms, WATCHDOG_MS_MIN, WATCHDOG_MS_MAX)
        if on_overload not in ("halt", "mark"):
            raise ThermolinkError(
                "BAD_ARGUMENT", f"on_overload is {on_overload!r}; it must be 'halt' or 'mark'."
            )
        cells = self._cells.get(bank, identity.cells)
        if sample_count * cells > _CODES_MAX:
            raise ThermolinkError(
                "BAD_ARGUMENT",
                f"{sample_count} samples of {cells} cells are too many for one run.",
                f"Acquire at most {_CODES_MAX} codes at once.",
            )
        start = {
            "bank": bank,
            "runSeed": run_seed,
            "firstTick": first_tick,
            "startState": 1 if keeps_state else 0,
            "burnInTicks": burn_in_ticks,
            "sampleCount": sample_count,
            "ticksPerSample": ticks_per_sample,
            "blockSamples": 0,
            "onNoCredit": 0 if identity.has_hold else 1,
            "onOverload": 0 if on_overload == "halt" else 1,
            "watchdogMs": watchdog_ms,
            "creditBlocks": CREDIT_BLOCKS,
            "keepBlocks": min(CREDIT_BLOCKS, identity.keep_blocks_max),
        }
        return RunWatcher(self._connection, identity, start, cells).finish(deadline)

    def status(self, deadline: Optional[Deadline] = None) -> Dict[str, Any]:
        """State, latched fault, tick, run, stop number and committed banks of the board."""
        answer = self._connection.request("readStatus", deadline)
        return {
            "state": state_name(answer["state"]),
            "fault": _FAULTS[answer["fault"]],
            "boot_epoch": answer["bootEpoch"],
            "run_id": answer["runId"],
            "tick": answer["tick"],
            "stop_number": answer["stopNumber"],
            "committed_banks": answer["committedBanks"],
            "state_digest": int.from_bytes(answer["stateDigest"], "little"),
        }

    def acknowledge(self, deadline: Optional[Deadline] = None) -> str:
        """Leaves `safe` after a stop, or clears a fault or an overload. Returns the state after it."""
        return state_name(self._connection.request("acknowledge", deadline)["state"])

    def stop(self, timeout: float = _STOP_SECONDS) -> None:
        """Puts the board into `safe` at once and ends its run (protocol.md, "Stop"). Any thread may call it.
        Call `acknowledge` afterwards, and load the program again. Errors: TIMEOUT, LINK_LOST."""
        deadline = Deadline(timeout)
        with self._stop_lock:
            self._stop_number += 1
            number = self._stop_number
        while not deadline.is_over:
            payload = pack_command(
                "stop",
                0,
                {
                    "nonce": self._nonce,
                    "stopNumber": number,
                    "lastRequestId": self._connection.last_request_id,
                },
            )
            self._connection.link.send_stop(payload)
            limit = deadline.at_most(_STOP_REPEAT_SECONDS)
            if self._connection.wait_for(lambda: self._connection.stop_answered >= number or None, limit):
                return
        raise ThermolinkError(
            "TIMEOUT",
            f"The board did not answer stop within {timeout:g} s.",
            "The line seems dead. Switch the board off if it must not go on.",
        )

    def close(self) -> None:
        """Closes the port. The board ends its run when it notices the closed port, or when its watchdog
        expires."""
        self._connection.close()
