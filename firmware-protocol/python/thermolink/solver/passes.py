"""One pass on a board: settle without noise and read once, or average under noise."""

import math
from dataclasses import dataclass
from typing import Callable, Optional, Tuple, Union

import numpy as np

from ..device.runs import RunReport
from ..errors import ThermolinkError
from ..linalg.products import norm2, norm_inf
from ..linalg.systems import apply_system
from ..mapping.equilibrium import (
    EquilibriumPlan,
    board_noise,
    carry_noise_share,
    effective_noise,
    noise_limited_scale,
)
from ..mapping.estimate import estimate_mean
from ..mapping.noise_register import noise_register
from ..mapping.quantize import programmed_drive, quantize_drive, quantize_initial_state, read_out
from ..mapping.scaling import drive_limited_scale, power_of_two_above
from .session import BoardSession, Overload, RetryAt, overload_error

_ATTEMPTS_MAX = 16
# The number of samples between two checks of the standard error, and the most samples.
_SAMPLES_PER_LOOK = 16
_SAMPLES_MAX = 512
# The approximate limit of the ticks of one board run.
_RUN_TICKS = 2**18
# The largest voltage should be at most _PEAK_MAX times the rail. If it is below _PEAK_MIN times the rail, a
# finer scale is tried.
_PEAK_MAX = 0.8
_PEAK_MIN = _PEAK_MAX / 4


@dataclass(frozen=True, eq=False)
class Reading:
    """`x` is the board's answer d to A d = r. `peak` is max |v| in V_fs. `rounding` [N] is the part of the
    residual r − A d that the codes explain. `as_read` is the reading before its `rounding` included measured
    errors of the board. An average also has its standard error [N], samples, κ in the problem's units and
    carry share."""

    x: np.ndarray
    solution_scale: float
    peak: float
    rounding: np.ndarray
    as_read: Optional["Reading"] = None
    standard_error: Optional[np.ndarray] = None
    samples: int = 0
    noise_temperature: float = 0.0
    carry_noise_share: float = 0.0
    compensations: int = 0


@dataclass(frozen=True, eq=False)
class _Committed:
    """The inputs of a program: its drive codes and s_x, and κ of the board in V_fs²."""

    drive: np.ndarray
    drive_codes: np.ndarray
    solution_scale: float
    noise_temperature: float

    def rounding(self, plan: EquilibriumPlan, x: np.ndarray) -> np.ndarray:
        """−[(A − A_q) d + (b_q − r)]: the part of the residual r − A d that rounding to codes explains."""
        asked = self.drive - apply_system(plan.system, x)
        driven = programmed_drive(self.drive_codes, plan.scaling(self.solution_scale), plan.identity)
        return asked - (driven - apply_system(plan.programmed, x))


def commit_program(
    plan: EquilibriumPlan,
    session: BoardSession,
    drive: np.ndarray,
    solution_scale: float,
    initial: Optional[np.ndarray],
    noise_temperature: float,
) -> _Committed:
    """Programs A d = `drive` at s_x, with the start `initial` (None: 0) and noise κ in the problem's
    units."""
    identity = plan.identity
    drive_codes = quantize_drive(drive, plan.scaling(solution_scale), identity)
    state = (
        np.zeros(len(drive), np.int16) if initial is None else quantize_initial_state(initial, solution_scale)
    )
    noise = noise_register(board_noise(plan, solution_scale, noise_temperature), identity)
    report = session.program(plan.codes.program(drive_codes, state, noise))
    return _Committed(drive, drive_codes, solution_scale, effective_noise(report, noise.shift, identity.tick))


def settle(
    plan: EquilibriumPlan,
    session: BoardSession,
    drive: np.ndarray,
    first_scale: float,
    scale_floor: Callable[[np.ndarray], float],
) -> Reading:
    """Settles A d = `drive` from zero without noise, and reads once. It finds the power of two s_x that puts
    the largest voltage between 20 and 80 % of the rail. s_x is at least `scale_floor(d)` and at least the
    minimum for the drive range. Errors: OVERLOAD if no scale is found."""
    identity = plan.identity
    drive_floor = drive_limited_scale(drive, plan.system_scale, identity)
    peak_max, peak_min = _PEAK_MAX * plan.rail, _PEAK_MIN * plan.rail

    def attempt(scale: float, scale_min: float) -> Union[Reading, Overload, RetryAt]:
        committed = commit_program(plan, session, drive, scale, None, 0.0)
        run = session.acquire(plan.settle_ticks, 1, 0)
        if run.report.outcome == "overload":
            return Overload(run.report)
        x = read_out(run.codes[0], scale, identity)
        peak = norm_inf(x) / scale
        finer = scale * 2.0 ** -math.floor(math.log2(peak_max / (peak + identity.adc_step)))
        following = max(finer, power_of_two_above(max(drive_floor, scale_min, scale_floor(x))))
        if peak < peak_min and following < scale:
            return RetryAt(following)
        return Reading(x, scale, peak, committed.rounding(plan, x))

    def give_up(scale: float, report: Optional[RunReport]) -> ThermolinkError:
        return overload_error(
            f"No scale keeps the board within its rails ({_ATTEMPTS_MAX} tried).",
            "The programmed couplings may not be positive definite any more: their rounding is larger than the "
            "smallest eigenvalue.",
            report,
            identity,
        )

    return session.ranged(first_scale, _ATTEMPTS_MAX, attempt, give_up)


def average(
    plan: EquilibriumPlan,
    session: BoardSession,
    drive: np.ndarray,
    start: Reading,
    noise_temperature: float,
    is_enough: Callable[[np.ndarray], bool],
) -> Reading:
    """Averages the equilibrium of A d = `drive` under noise κ, in the problem's units. It starts from the
    earlier reading `start`. It ends when `is_enough` accepts the standard error, or after 512 samples.
    Errors: OVERLOAD if no scale is found."""
    identity = plan.identity
    mean = start.peak * start.solution_scale
    first_scale = max(
        start.solution_scale,
        power_of_two_above(mean / plan.rail + noise_limited_scale(plan, noise_temperature)),
    )

    def attempt(scale: float, _: float) -> Union[Reading, Overload]:
        committed = commit_program(plan, session, drive, scale, start.x, noise_temperature)
        outcome = _average_once(plan, session, scale, is_enough)
        if isinstance(outcome, Overload):
            return outcome
        codes_mean, codes_error, samples = outcome
        x = read_out(codes_mean, scale, identity)
        return Reading(
            x,
            scale,
            norm_inf(x) / scale,
            committed.rounding(plan, x),
            standard_error=read_out(codes_error, scale, identity),
            samples=samples,
            noise_temperature=committed.noise_temperature * (scale * scale) * plan.system_scale,
            carry_noise_share=carry_noise_share(plan, committed.noise_temperature),
        )

    def give_up(scale: float, report: Optional[RunReport]) -> ThermolinkError:
        return overload_error(
            "The board runs into its rails whenever its noise is on.",
            "Its noise seems to be far larger than its register says; characterize the board.",
            report,
            identity,
        )

    return session.ranged(first_scale, _ATTEMPTS_MAX, attempt, give_up)


def _average_once(
    plan: EquilibriumPlan, session: BoardSession, scale: float, is_enough: Callable[[np.ndarray], bool]
) -> Union[Overload, Tuple[np.ndarray, np.ndarray, int]]:
    """Takes samples at one scale until `is_enough` accepts their standard error, or 512 were taken. Returns
    mean and standard error in ADC steps, and the number of samples."""
    ticks_per_sample = plan.ticks_per_sample
    readings = np.zeros((_SAMPLES_MAX, plan.codes.cells), np.int16)
    samples_per_run = max(1, _RUN_TICKS // ticks_per_sample)
    samples = 0
    while True:
        # The first sample comes after two spacings. The variance of the slowest mode is then within e⁻⁶ of
        # its equilibrium.
        run = session.acquire(
            2 * ticks_per_sample if samples == 0 else ticks_per_sample,
            min(samples_per_run, _SAMPLES_PER_LOOK - samples % _SAMPLES_PER_LOOK),
            ticks_per_sample,
            continues=samples > 0,
        )
        if run.report.outcome == "overload":
            return Overload(run.report)
        readings[samples : samples + len(run.codes)] = run.codes
        samples += len(run.codes)
        if samples % _SAMPLES_PER_LOOK != 0:
            continue
        mean, error = estimate_mean(readings[:samples])
        enough = is_enough(read_out(error, scale, plan.identity))
        if (enough and samples >= plan.samples_min) or samples == _SAMPLES_MAX:
            return mean, error, samples


def rounding_error_bound(plan: EquilibriumPlan, reading: Reading) -> float:
    """‖rounding‖₂/λ₋: a bound on the error of a reading from rounding to codes, in units of x."""
    return norm2(reading.rounding) / plan.spectrum.eigenvalue_min
