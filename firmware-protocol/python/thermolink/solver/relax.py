"""Relaxation for a finite time."""

from dataclasses import dataclass
from typing import Optional, Union

import numpy as np

from ..device.identity import Identity
from ..device.runs import RunReport
from ..errors import ThermolinkError, bad_argument
from ..mapping.checked_system import CheckedSystem
from ..mapping.noise_register import NoiseRegister, noise_register, noise_temperature_range
from ..mapping.quantize import quantize_drive, quantize_initial_state, quantize_system, read_out
from ..mapping.scaling import Scaling, finite_time_scaling, refuse_too_long
from ..texts import short
from .session import BoardSession, Cost, Overload, overload_error

# After the sixth overload the relaxation gives up. At that point s_x is 32 times and s_A 16 times as large as
# in the first attempt.
_ATTEMPTS_MAX = 6


@dataclass(frozen=True)
class RelaxResult:
    """x(t), length N, and the cost of the relaxation."""

    x: np.ndarray
    cost: Cost


@dataclass(frozen=True, eq=False)
class Relaxation:
    """b and x₀, length N each, and t ≥ 0 in units of 1/eigenvalue of A."""

    drive: np.ndarray
    initial: np.ndarray
    time: float


class Relaxer:
    """Checks and plans before anything is sent. `run` does the relaxation on the board. `coupling_bits` is
    the width of coupling codes, at most the board's; `noise_temperature` is κ in V_fs², 0 for none.

    Errors: BAD_ARGUMENT for a noise temperature outside the register; UNSUPPORTED for too many ticks."""

    def __init__(
        self,
        checked: CheckedSystem,
        relaxation: Relaxation,
        identity: Identity,
        coupling_bits: int,
        noise_temperature: float,
        ticks_max: Optional[float] = None,
    ) -> None:
        self._checked = checked
        self._relaxation = relaxation
        self._identity = identity
        bits = min(coupling_bits, identity.coupling_bits)
        self._first = finite_time_scaling(
            checked, relaxation.time, identity, bits, relaxation.drive, relaxation.initial
        )
        refuse_too_long(
            self._first.ticks,
            ticks_max,
            "Shorten the time, or make the largest eigenvalue smaller: a tick must be short enough for it.",
        )
        self._noise = _register_of(noise_temperature, identity)

    @property
    def is_nothing(self) -> bool:
        """Whether b and x₀ are 0. If so, the answer is 0 and nothing is sent."""
        return not self._relaxation.drive.any() and not self._relaxation.initial.any()

    def run(self, session: BoardSession) -> RelaxResult:
        """x(t) of dx/dt = −(A x − b) from x₀ by n ticks and one reading: v_n = (1 − hÂ)ⁿ v₀ + (1 − (1 − hÂ)ⁿ)
        Â⁻¹ê, with n·h/s_A = t exactly. After an overload it runs again with s_x doubled; from the second
        overload on, n and s_A are doubled too. Errors: OVERLOAD after the sixth overload; those of the
        device."""
        scaling = self._first
        codes = quantize_system(self._checked.system, scaling)

        def attempt(solution_scale: float, _: float) -> Union[RelaxResult, Overload]:
            nonlocal scaling, codes
            wanted = self._scaling_at(solution_scale)
            if wanted.system_scale != scaling.system_scale:
                codes = quantize_system(self._checked.system, wanted)
            scaling = wanted
            session.program(
                codes.program(
                    quantize_drive(self._relaxation.drive, scaling, self._identity),
                    quantize_initial_state(self._relaxation.initial, solution_scale),
                    self._noise,
                )
            )
            run = session.acquire(scaling.ticks, 1, 0)
            if run.report.outcome == "overload":
                return Overload(run.report)
            return RelaxResult(read_out(run.codes[0], solution_scale, self._identity), session.cost)

        return session.ranged(scaling.solution_scale, _ATTEMPTS_MAX, attempt, self._give_up)

    def _scaling_at(self, solution_scale: float) -> Scaling:
        """From twice the first s_x on, n and s_A grow as s_x does."""
        first = self._first
        growth = max(1.0, solution_scale / first.solution_scale / 2)
        return Scaling(
            growth * first.system_scale,
            solution_scale,
            first.coupling_bits,
            first.row_attenuation,
            int(growth) * first.ticks,
        )

    def _give_up(self, solution_scale: float, report: Optional[RunReport]) -> ThermolinkError:
        done = 0 if report is None else report.ticks_done
        return overload_error(
            f"The board ran into its rails {_ATTEMPTS_MAX} times in a row, last after {done} of "
            f"{self._scaling_at(solution_scale).ticks} ticks.",
            "The relaxation grows without bound. Check that the system is positive definite and the time is not too long.",
            report,
            self._identity,
        )


def _register_of(noise_temperature: float, identity: Identity) -> NoiseRegister:
    least, most = noise_temperature_range(identity)
    # A value that was printed with five digits may be just outside the range.
    if noise_temperature == 0 or least * 0.9999 <= noise_temperature <= most * 1.0001:
        return noise_register(noise_temperature, identity)
    raise bad_argument(
        "noise_temperature",
        noise_temperature,
        f"0, or between {short(least, 2)} and {short(most, 2)} V_fs² on this board",
    )
