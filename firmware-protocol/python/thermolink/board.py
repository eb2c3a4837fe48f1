"""The class of a connected board, with the calls for user programs."""

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
from .mapping.checked_system import factored_system, refuse_too_large, system_of, vector_of
from .solver.acceptance import refuse_beyond_float64
from .solver.plan import SolvePlans
from .solver.relax import Relaxation, Relaxer, RelaxResult
from .solver.result import SolveResult, zero_solution
from .solver.sample import DRAWN_VALUES_MAX, Sampler, SampleResult
from .solver.session import BoardSession, Cost, RunAddress
from .solver.solve import solve
from .wire.tables import COUPLING_BITS_MAX, COUPLING_BITS_MIN, SAFE_INTEGER_MAX, U16_MAX, U32_MAX

_BANK = 0


class Board:
    """A connected board: `tcp://HOST:PORT`, `serial:PATH[?baud=RATE]`, or `hub://HOST:PORT/BOARD` for a board
    that a hub shares (`thermolink serve`). The token for the hub is in the environment variable
    THERMOLINK_TOKEN, or in the file that the option `token_file=PATH` of the URI names.

        with Board("tcp://127.0.0.1:7000") as board:
            x = board.solve(A, b, tolerance=1e-2).x

    `timeout` is in seconds. In the constructor it bounds connecting. In a call it bounds the whole call,
    including the wait for its turn. None sets no bound for the whole call, but every command and every
    silence of the board has its own deadline. Threads may share a board: calls take turns, and `stop` does
    not wait for its turn.

    Every call checks its arguments before a byte is sent. Errors are `ThermolinkError` with a code of
    docs/reference/errors.md. `seed`, `step` and `block` select the noise of a call. On an emulated board the
    same arguments give the same bits again."""

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
        """Model, sizes, ranges and times of the board, as the board told them when the session was opened."""
        return self._device.identity

    def status(self, timeout: Optional[float] = None) -> Dict[str, Any]:
        """State, latched fault, tick and run of the board. The board is asked at each call."""
        return self._device.status(Deadline(check_timeout("timeout", timeout)))

    def solve(
        self,
        A: Any,
        b: Any,
        tolerance: float,
        *,
        seed: int = 1,
        step: int = 0,
        block: int = 0,
        timeout: Optional[float] = None,
    ) -> SolveResult:
        """x of A x = b from the equilibrium of the board, to ‖x̂ − x‖₂ ≤ tolerance·‖x‖₂.

        A is N×N, symmetric and positive definite; or a system that `factored` made. b has N entries,
        `tolerance` is between 0 and 1. The answer is a sum of scaled board readings. The host computes the
        scales and the products with A, and decides when to stop. b = 0 gives 0 and sends nothing.

        Errors before a byte is sent: BAD_ARGUMENT, BAD_MATRIX, NOT_POSITIVE_DEFINITE, TOO_LARGE, UNSUPPORTED,
        and TOLERANCE_NOT_MET for a tolerance that float64 or the board's codes cannot reach. Errors after
        that: TOLERANCE_NOT_MET if the answer is not good enough; OVERLOAD; TIMEOUT; those of the link.
        Source: Aifer et al., "Thermodynamic linear algebra", arXiv 2308.05660."""
        wanted = check_number("tolerance", tolerance, 0)
        if not 0 < wanted < 1:
            raise bad_argument("tolerance", tolerance, "a number above 0 and below 1")
        address, seconds = _address(seed, step, block), check_timeout("timeout", timeout)
        system = system_of(A)
        drive = vector_of("right-hand side", b, system.dimension)
        refuse_too_large(system.system, self.info)
        if not drive.any():
            refuse_beyond_float64(system.evened[0], wanted)
            return zero_solution(system.dimension)
        plans = SolvePlans(self.info, system, wanted)
        with self._session(address, seconds) as session:
            return solve(plans, session, drive, wanted)

    def sample(
        self,
        A: Any,
        n: int,
        b: Any = None,
        kappa: float = 1.0,
        *,
        seed: int = 1,
        step: int = 0,
        block: int = 0,
        timeout: Optional[float] = None,
    ) -> SampleResult:
        """n draws from N(A⁻¹b, κA⁻¹), made by the board's own noise.

        A is N×N, symmetric and positive definite; or a system that `factored` made. b has N entries, by
        default 0; κ = `kappa` > 0 scales the covariance. The draws have the shape [n × N]. The board settles
        the mean without noise, and the host refines it to 0.01 standard deviations. If b is not 0, the call
        uses the noise of `block` for the mean and that of `block` + 1 for the draws. The correlation of
        neighbouring draws is at most e⁻³. On an imperfect board the covariance of the draws differs from
        κA⁻¹.

        Errors: before a byte is sent, those of `solve`; after that OVERLOAD; DEVICE_FAULT for a cell that
        never moves; TIMEOUT; those of the link."""
        count = check_whole("n", n, 1)
        scale = check_number("kappa", kappa, 0)
        if scale == 0:
            raise bad_argument("kappa", kappa, "a number above 0")
        address, seconds = _address(seed, step, block), check_timeout("timeout", timeout)
        system = system_of(A)
        if count * system.dimension > DRAWN_VALUES_MAX:
            most = DRAWN_VALUES_MAX // system.dimension
            raise bad_argument(
                "n", n, f"at most {most} for {system.dimension} cells: draw in parts, each of another seed"
            )
        drive = np.zeros(system.dimension) if b is None else vector_of("drive", b, system.dimension)
        if drive.any():
            check_whole("block", block, 0, U16_MAX - 1)
        refuse_too_large(system.system, self.info)
        sampler = Sampler(system, count, drive, scale, self.info)
        with self._session(address, seconds) as session:
            return sampler.run(session, address)

    def relax(
        self,
        factor: Any,
        drive: Any,
        damping: float,
        time: float,
        initial: Any = None,
        *,
        coupling_bits: Optional[int] = None,
        noise_temperature: float = 0.0,
        seed: int = 1,
        step: int = 0,
        block: int = 0,
        timeout: Optional[float] = None,
    ) -> RelaxResult:
        """x(t) of dx/dt = −((KᵀK + λI) x − b) from x₀.

        `factor` K is m×N, `drive` b has N entries, `damping` is λ ≥ 0, `time` t ≥ 0 has the unit of
        1/eigenvalue: a mode with eigenvalue μ decays to e^(−μt). `initial` is x₀; its default is 0.
        `coupling_bits` is the width of coupling codes, 4 to 16 and at most the board's; its default is the
        board's. Codes of at most 8 bits take half the bytes. `noise_temperature` is κ in V_fs².

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
        wanted = COUPLING_BITS_MAX if coupling_bits is None else coupling_bits
        bits = check_whole("coupling_bits", wanted, COUPLING_BITS_MIN, COUPLING_BITS_MAX)
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

        Returns ADC codes [samples × N], int16, and the report. At an overload the run ends with `on_overload`
        = `halt`, and goes on with `mark`. `run_seed` selects the noise.

        Errors: BAD_ARGUMENT before a byte is sent; DEVICE_REFUSED for a program that does not fit the board;
        SAMPLES_LOST, RUN_ENDED, DEVICE_FAULT, TIMEOUT; those of the link."""
        if not isinstance(program, Program):
            raise bad_argument("program", program, "a Program")
        program.check()
        limits = {
            "burn_in_ticks": (burn_in_ticks, SAFE_INTEGER_MAX),
            "sample_count": (sample_count, U32_MAX),
            "ticks_per_sample": (ticks_per_sample, U32_MAX),
            "run_seed": (run_seed, U32_MAX),
        }
        for name, (value, most) in limits.items():
            check_whole(name, value, 0, most)
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
        """Puts the board into its safe state at once. If another thread waits for a run, that thread gets
        RUN_ENDED or DEVICE_REFUSED. Call `acknowledge` afterwards. Errors: TIMEOUT, LINK_LOST."""
        self._device.stop(check_timeout("timeout", timeout) or 2.0)

    def acknowledge(self, timeout: Optional[float] = None) -> str:
        """Lets a board continue after a stop, a fault or an overload. Returns the new state."""
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
        if not self._turn.acquire(timeout=-1 if left is None else min(left, threading.TIMEOUT_MAX)):
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
