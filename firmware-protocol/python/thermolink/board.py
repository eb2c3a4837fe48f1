"""The board as a program uses it."""

import threading
from contextlib import contextmanager
from typing import Any, Dict, Iterator, Optional

import numpy as np

from .arguments import check_number, check_timeout, check_whole
from .device.clock import Deadline
from .device.device import Device
from .device.identity import Identity
from .device.program import Program
from .device.runs import Run
from .errors import ThermolinkError, bad_argument
from .mapping.checked_system import factored_system, refuse_too_large, vector_of
from .solver.relax import Relaxation, Relaxer, RelaxResult
from .solver.session import BoardSession, Cost, RunAddress
from .wire.tables import COUPLING_BITS_MAX, COUPLING_BITS_MIN, U16_MAX, U32_MAX

_BANK = 0


class Board:
    """A connected board: `tcp://HOST:PORT` or `serial:PATH[?baud=RATE]`.

        with Board("tcp://127.0.0.1:7000") as board:
            x = board.solve(A, b, tolerance=1e-2).x

    `timeout` is in seconds. In the constructor it bounds connecting. In a call it bounds the call as a whole,
    its turn included; None is no bound of the whole, but every command and every silence of the board has a
    deadline of its own. Threads may share a board: calls take turns, and `stop` passes them.

    Every call checks its arguments before a byte is sent. Errors are `ThermolinkError` with a stable code,
    those of docs/reference/errors.md. The same board, arguments, seed, step and block give the same bits
    again."""

    def __init__(self, uri: str, timeout: float = 5.0) -> None:
        seconds = check_timeout("timeout", timeout)
        if seconds is None:
            raise bad_argument("timeout", timeout, "a positive number of seconds")
        self._device = Device(uri, seconds)
        self._turn = threading.Lock()

    def __enter__(self) -> "Board":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def info(self) -> Identity:
        """Model, sizes, ranges and times of the board, as it told when the session was opened."""
        return self._device.identity

    def status(self, timeout: Optional[float] = None) -> Dict[str, Any]:
        """State, latched fault, tick and run of the board, asked now."""
        return self._device.status(Deadline(check_timeout("timeout", timeout)))

    def relax(
        self,
        factor: Any,
        drive: Any,
        damping: float,
        time: float,
        initial: Any = None,
        *,
        coupling_bits: int = 8,
        noise_temperature: float = 0.0,
        seed: int = 1,
        step: int = 0,
        block: int = 0,
        timeout: Optional[float] = None,
    ) -> RelaxResult:
        """x(t) of dx/dt = −((KᵀK + λI) x − b) from x₀.

        `factor` K is m×N, `drive` b has N entries, `damping` is λ ≥ 0, `time` t ≥ 0 has the unit of
        1/eigenvalue: e^(−μt) is left of a mode with eigenvalue μ. `initial` is x₀, by default 0.
        `noise_temperature` is κ in V_fs².

        Errors: BAD_ARGUMENT, BAD_MATRIX, NOT_POSITIVE_DEFINITE for a negative damping, TOO_LARGE, UNSUPPORTED
        before a byte is sent; OVERLOAD; TIMEOUT; those of the link."""
        system = factored_system(factor, damping)
        b = vector_of("drive", drive, system.dimension)
        x0 = (
            np.zeros(system.dimension)
            if initial is None
            else vector_of("initial state", initial, system.dimension)
        )
        t = check_number("time", time, 0)
        bits = check_whole("coupling_bits", coupling_bits, COUPLING_BITS_MIN, COUPLING_BITS_MAX)
        kappa = check_number("noise_temperature", noise_temperature, 0)
        address, seconds = _address(seed, step, block), check_timeout("timeout", timeout)
        refuse_too_large(system.system, self.info)
        relaxer = Relaxer(system, Relaxation(b, x0, t), self.info, bits, kappa)
        if relaxer.is_nothing:
            return RelaxResult(np.zeros(system.dimension), Cost())
        with self._session(address, seconds) as session:
            return relaxer.run(session)

    def run(
        self,
        program: Program,
        *,
        burn_in_ticks: int = 0,
        sample_count: int = 1,
        ticks_per_sample: int = 0,
        run_seed: int = 1,
        on_overload: str = "halt",
        timeout: Optional[float] = None,
    ) -> Run:
        """Loads a program of codes and runs it: sample i is read after burn_in_ticks + i·ticks_per_sample
        ticks.

        Returns ADC codes [samples × N], int16, and the report. `on_overload` is `halt`, or `mark` to go on.
        `run_seed` names the noise.

        Errors: BAD_ARGUMENT before a byte is sent; DEVICE_REFUSED for what the board has no place for;
        SAMPLES_LOST, RUN_ENDED, DEVICE_FAULT, TIMEOUT; those of the link."""
        if not isinstance(program, Program):
            raise bad_argument("program", program, "a Program")
        program.check()
        for name, value in (
            ("burn_in_ticks", burn_in_ticks),
            ("sample_count", sample_count),
            ("ticks_per_sample", ticks_per_sample),
            ("run_seed", run_seed),
        ):
            check_whole(name, value, 0, U32_MAX)
        if on_overload not in ("halt", "mark"):
            raise bad_argument("on_overload", on_overload, "'halt' or 'mark'")
        deadline = Deadline(check_timeout("timeout", timeout))
        with self._own_turn(deadline):
            self._device.load_program(_BANK, program, deadline)
            return self._device.acquire(
                _BANK,
                run_seed,
                burn_in_ticks,
                sample_count,
                ticks_per_sample,
                deadline,
                on_overload=on_overload,
            )

    def stop(self, timeout: float = 2.0) -> None:
        """Puts the board into its safe state at once, also while another thread waits for a run, which gets
        RUN_ENDED or DEVICE_REFUSED. After it call `acknowledge`. Errors: TIMEOUT, LINK_LOST."""
        self._device.stop(check_timeout("timeout", timeout) or 2.0)

    def acknowledge(self, timeout: Optional[float] = None) -> str:
        """Lets a board go on after a stop, a fault or an overload; returns the state after it."""
        return self._device.acknowledge(Deadline(check_timeout("timeout", timeout)))

    def close(self) -> None:
        """Ends the session. The board ends a run that is in progress, and keeps its programs."""
        self._device.close()

    @contextmanager
    def _session(self, address: RunAddress, seconds: Optional[float]) -> Iterator[BoardSession]:
        deadline = Deadline(seconds)
        with self._own_turn(deadline):
            yield BoardSession(self._device, address, deadline)

    @contextmanager
    def _own_turn(self, deadline: Deadline) -> Iterator[None]:
        left = deadline.left
        if not self._turn.acquire(timeout=-1 if left is None else left):
            raise ThermolinkError(
                "TIMEOUT",
                f"The board was in use for the whole {deadline.seconds:g} s.",
                "Another thread uses it: give the call more time.",
                retryable=True,
            )
        try:
            yield
        finally:
            self._turn.release()


def _address(seed: int, step: int, block: int) -> RunAddress:
    return RunAddress(
        check_whole("seed", seed, 0, U32_MAX),
        check_whole("step", step, 0, U32_MAX),
        check_whole("block", block, 0, U16_MAX),
    )
