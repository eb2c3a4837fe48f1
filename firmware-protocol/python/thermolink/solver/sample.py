"""Draws from N(A⁻¹b, κA⁻¹)."""

import math
from dataclasses import dataclass
from typing import Optional, Tuple, Union

import numpy as np

from ..device.identity import Identity
from ..device.runs import RunReport
from ..errors import ThermolinkError
from ..linalg.products import norm2
from ..mapping.checked_system import CheckedSystem
from ..mapping.equilibrium import (
    EquilibriumPlan,
    board_noise,
    carry_noise_share,
    effective_noise,
    noise_limited_scale,
    plan_equilibrium,
)
from ..mapping.noise_register import noise_register
from ..mapping.quantize import read_out
from ..mapping.scaling import power_of_two_above, refuse_too_long
from .acceptance import is_of_codes
from .plan import SolvePlans
from .session import BoardSession, Cost, Overload, RunAddress, cell_list, overload_error
from .settle_to import settle_to

# Time constants of the slowest mode between two draws. The correlation of the two is then at most e⁻³ = 5 %.
_SPACING = 3
# Spacings before the first draw.
_BURN_IN_SPACINGS = 4
# Largest number of draws of one board run.
_DRAWS_PER_RUN = 256
_ATTEMPTS_MAX = 6
# The least number of equal samples that cannot be chance.
_STILL_DRAWS_MIN = 32
# Largest number of entries of a result: 512 MiB.
DRAWN_VALUES_MAX = 2**26
# The bound on the error of the mean, in standard deviations. The tolerance of the solve for the mean stays
# within the two other numbers: float64 proves no smaller one.
_MEAN_ERROR = 0.01
_TOLERANCE_MIN, _TOLERANCE_MAX = 1e-13, 0.5


@dataclass(frozen=True, eq=False)
class SampleResult:
    """`draws` [n × N]. `mean` [N] is their centre A⁻¹b; the error of each entry is at most `mean_error_bound`
    standard deviations. `correlation_max` bounds the correlation of neighbouring draws; `carry_noise_share`
    is the largest share of carried rounding in the noise of a mode."""

    draws: np.ndarray
    mean: np.ndarray
    mean_error_bound: float
    correlation_max: float
    carry_noise_share: float
    cost: Cost


class Sampler:
    """Checks and plans before anything is sent. `count` draws of N(A⁻¹b, κA⁻¹), b = `drive`, κ = `kappa`.
    Errors: NOT_POSITIVE_DEFINITE; TOLERANCE_NOT_MET for codes that are not positive definite; UNSUPPORTED for
    too many ticks."""

    def __init__(
        self, system: CheckedSystem, count: int, drive: np.ndarray, kappa: float, identity: Identity
    ) -> None:
        self._identity = identity
        self._count = count
        self._drive = drive
        self._kappa = kappa
        self._eigenvalue_min = system.spectrum.eigenvalue_min
        checked, self._weights = system.evened
        self._plans = SolvePlans(identity, system, None) if drive.any() else None
        # If the mean is settled with A itself, the draws need the same couplings. They are sent only once.
        has_plain = self._plans is not None and self._plans.current.damping == 0
        self._plan: EquilibriumPlan = (
            self._plans.current if has_plain else plan_equilibrium(checked, identity)
        )
        spacing = _SPACING * self._plan.system_scale / (identity.tick * self._plan.spectrum.eigenvalue_min)
        self._spacing_ticks = math.ceil(spacing)
        refuse_too_long(self._spacing_ticks * (count + _BURN_IN_SPACINGS))

    def run(self, session: BoardSession, address: RunAddress) -> SampleResult:
        """The board settles to the mean without noise, and the host refines the mean to 0.01 standard
        deviations. Then the board without drive gives the deviations from the mean. Their covariance is A⁻¹
        times a noise temperature, and the host scales it to κA⁻¹. If there is a drive, the runs for the
        deviations use the next block of the address.

        With the residual r of the mean and sd_i = √(A⁻¹)_ii, |mean_i − exact_i| ≤ √κ·sd_i·‖r‖₂/√(κ λ_min).
        Errors: OVERLOAD; TOLERANCE_NOT_MET if the mean is not reached; DEVICE_FAULT for a cell that never
        moves; those of the device."""
        mean, bound = np.zeros(len(self._drive)), 0.0
        if self._plans is not None:
            mean, bound = self._settled_mean(self._plans, session)
            session.readdress(RunAddress(address.seed, address.step, address.block + 1))
        first_scale = power_of_two_above(noise_limited_scale(self._plan, 1.0))
        draws, noise_temperature = session.ranged(
            first_scale, _ATTEMPTS_MAX, lambda scale, _: self._draw_at(session, scale), self._give_up
        )
        self._refuse_still_cells(draws)
        if self._kappa != 1:
            draws *= math.sqrt(self._kappa)
        return SampleResult(
            draws=draws + mean if self._plans is not None else draws,
            mean=mean,
            mean_error_bound=bound,
            correlation_max=math.exp(-_SPACING),
            carry_noise_share=carry_noise_share(self._plan, noise_temperature),
            cost=session.cost,
        )

    def _settled_mean(self, plans: SolvePlans, session: BoardSession) -> Tuple[np.ndarray, float]:
        """A⁻¹b, and the bound on its error in standard deviations of the draws."""
        norm = norm2(self._drive)
        wanted = _MEAN_ERROR * math.sqrt(self._eigenvalue_min * self._kappa) / norm
        tolerance = min(_TOLERANCE_MAX, max(_TOLERANCE_MIN, wanted))
        while True:
            try:
                settled = settle_to(plans.current, session, self._drive, tolerance)
                break
            except ThermolinkError as error:
                if not is_of_codes(error) or not plans.advance():
                    raise
        bound = settled.relative_residual * norm / math.sqrt(self._eigenvalue_min * self._kappa)
        return settled.x, bound

    def _draw_at(self, session: BoardSession, scale: float) -> Union[Tuple[np.ndarray, float], Overload]:
        """The draws at one scale, and κ of the board in V_fs²."""
        plan, cells = self._plan, len(self._weights)
        register = noise_register(board_noise(plan, scale, 1.0), self._identity)
        zeros = np.zeros(cells, np.int16)
        report = session.program(plan.codes.program(zeros, zeros, register))
        noise_temperature = effective_noise(report, register.shift, self._identity.tick)
        applied = noise_temperature * (scale * scale) * plan.system_scale
        draws = np.empty((self._count, cells))
        done = 0
        while done < self._count:
            run = session.acquire(
                _BURN_IN_SPACINGS * self._spacing_ticks if done == 0 else self._spacing_ticks,
                min(_DRAWS_PER_RUN, self._count - done),
                self._spacing_ticks,
                continues=done > 0,
            )
            if run.report.outcome == "overload":
                return Overload(run.report)
            values = read_out(run.codes, scale / math.sqrt(applied), self._identity)
            draws[done : done + len(values)] = values * self._weights
            done += len(values)
        return draws, noise_temperature

    def _give_up(self, scale: float, report: Optional[RunReport]) -> ThermolinkError:
        return overload_error(
            "The board runs into its rails at every scale that was tried.",
            "Its noise seems to be far larger than its register says; characterize the board.",
            report,
            self._identity,
        )

    @staticmethod
    def _refuse_still_cells(draws: np.ndarray) -> None:
        """Refuses draws of a cell that never moves: it is dead, or its ADC channel is stuck."""
        if len(draws) < _STILL_DRAWS_MIN:
            return
        still = np.flatnonzero(np.all(draws == draws[0], axis=0)).tolist()
        if still:
            raise ThermolinkError(
                "DEVICE_FAULT",
                f"The readings of {cell_list(still, len(still))} did not change in {len(draws)} draws.",
                "The cell is dead or its ADC channel is stuck: use another board, or a smaller problem that "
                "leaves it out.",
                data={"cells": still},
            )
