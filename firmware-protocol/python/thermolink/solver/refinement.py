"""Iterative refinement with the board as the solver of A itself."""

import math
from typing import List, Optional, Tuple

import numpy as np

from ..linalg.products import norm2
from ..linalg.systems import apply_system
from ..mapping.equilibrium import board_noise, noise_limited_scale
from ..texts import short
from .corrections import compensate_rounding, is_imperfect, is_rounding_small, with_systematic_error
from .failure import Pass, reason_of_stall, reason_of_zeros
from .noise_budget import SYSTEMATIC_SHARE, noise_residual_bound, wanted_noise
from .passes import Reading, rounding_error_bound
from .plan import SolvePlan
from .refined_solution import AVERAGES_MAX, RefinedSolution
from .result import SolveResult
from .session import BoardSession

_PASSES_MAX = 24
# The largest share of residual and correction that may remain after a pass, and after a window of passes.
_STALL = 0.5
_STALL_WINDOW = 5


class Refinement(RefinedSolution):
    """Pass k settles A d = b − A x̂ and adds its reading to x̂. The passes end when the errors from rounding
    and from the board are small beside the noise that the tolerance allows. The last pass is averaged under
    noise, which gives the standard error. Further passes without noise compensate the rounding of the
    averaged pass.

    An answer is accepted under four conditions. Its residual proves ‖x̂ − x‖₂ ≤ tolerance·‖x‖₂. Its relative
    standard error is at most half the tolerance and not implausibly small. Noise and rounding explain its
    residual (a sound answer fails this test with a probability below 1e-6). Its standard error covers the
    rest of the rounding."""

    def __init__(self, plan: SolvePlan, session: BoardSession, drive: np.ndarray, tolerance: float) -> None:
        super().__init__(plan, session, drive, tolerance)
        self._is_imperfect = False
        self._residual_norms: List[float] = []
        self._correction_norms: List[float] = []

    def run(self) -> SolveResult:
        while self._averages < AVERAGES_MAX:
            found = self._approach()
            if found is None:
                break
            answer = self._judge(self._average(*found))
            if answer is not None:
                return answer
        raise self._not_met(self._reason)

    def _approach(self) -> Optional[Tuple[Reading, float]]:
        """Settles passes and adds their readings to x̂ until a pass may be averaged. Returns the reading of
        that pass, and the noise κ for its average. None after the largest number of passes."""
        while self.passes < _PASSES_MAX:
            self.passes += 1
            reading = self._settle()
            self._is_imperfect = self._is_imperfect or is_imperfect(self._plan, self._residual, reading)
            noise = self._noise_to_average(reading)
            if noise is not None:
                return reading, noise
            self._refuse_stall(reading)
            self._advance(reading)
        return None

    def _settle(self) -> Reading:
        plan = self._plan

        def floor(x: np.ndarray) -> float:
            # A scale that is finer than the noise of the last pass does not help.
            return noise_limited_scale(plan, self._wanted_noise(self._norm(self._y + x)))

        return self._settle_above(floor(np.zeros(plan.codes.cells)), floor, learn=True)

    def _wanted_noise(self, norm: float) -> float:
        return wanted_noise(self._plan, self._tolerance, self._averages, norm)

    def _noise_to_average(self, reading: Reading) -> Optional[float]:
        """κ for averaging this pass; None if more passes must reduce its systematic error first."""
        plan = self._plan
        norm = self._norm(self._y + reading.x)
        # The noise is a share of ‖x̂‖, so it cannot be chosen while x̂ is 0.
        if norm == 0:
            return None
        noise = self._wanted_noise(norm)
        if board_noise(plan, reading.solution_scale, noise) < plan.noise_temperature_min:
            return None
        is_at_finest_scale = reading.solution_scale / 2 < noise_limited_scale(plan, noise)
        standard_error = math.sqrt(
            noise * plan.correlation_time_max * plan.spectrum.inverse_trace / plan.samples_min
        )
        left_over = norm2(self._residual - apply_system(plan.system, reading.x))
        # Errors of the board, other than those of its codes, determine the share of the residual that remains
        # after a reading.
        observed = 0.0 if left_over == 0 else left_over / norm2(self._residual) * norm2(reading.x)
        systematic = max(rounding_error_bound(plan, reading), observed)
        is_small = systematic <= SYSTEMATIC_SHARE * standard_error
        return noise if is_at_finest_scale or is_small else None

    def _refuse_stall(self, reading: Reading) -> None:
        one = Pass(self._residual, reading)
        self._last_pass = one
        # The next pass would be identical.
        if norm2(reading.x) == 0:
            raise self._not_met(reason_of_zeros(self._plan, one, self.passes))
        self._correction_norms.append(norm2(reading.x))
        self._residual_norms.append(norm2(self._residual))
        left = max(self._left_after(1), self._left_after(_STALL_WINDOW))
        if left > _STALL:
            raise self._not_met(reason_of_stall(self._plan, one, left))

    def _left_after(self, passes: int) -> float:
        """The smallest residual of the last `passes` passes, divided by the smallest one before them (for one
        pass: by that of the pass before). If the same ratio of the corrections is smaller, that ratio. 0
        while there is nothing to compare with."""
        if len(self._residual_norms) <= passes:
            return 0.0

        def left(norms: List[float]) -> float:
            before = norms[-2] if passes == 1 else min(norms[:-passes])
            return min(norms[-passes:]) / before

        return min(left(self._residual_norms), left(self._correction_norms))

    def _average(self, reading: Reading, noise: float) -> Reading:
        plan, session = self._plan, self._session
        averaged = self._average_from(reading, noise, self._norm(self._y + reading.x))
        if self._is_imperfect:
            averaged = with_systematic_error(plan, session, self._residual, averaged)
        compensated = compensate_rounding(plan, session, averaged)
        self._samples += compensated.samples
        self.passes += compensated.compensations
        return compensated

    def _judge(self, averaged: Reading) -> Optional[SolveResult]:
        """Adds the average to x̂. Returns the answer if it is good enough, otherwise None."""
        left = self._residual - apply_system(self._plan.system, averaged.x)
        unexplained = norm2(left - averaged.rounding)
        self._advance(averaged)
        norm = self._norm(self._y)
        self._relative_standard_error = self._norm(averaged.standard_error) / norm
        reason = self._reason_to_refuse(averaged, unexplained)
        if reason is not None:
            self._reason = reason
            self._averages += 1
            # The next correction is mostly the noise of this pass, so it cannot be compared with earlier
            # corrections.
            self._correction_norms = []
            self._residual_norms = []
            return None
        return self._result(self._y, averaged, rounding_error_bound(self._plan, averaged) / norm)

    def _reason_to_refuse(self, averaged: Reading, unexplained: float) -> Optional[str]:
        plan = self._plan
        if self._relative_error_bound > self._tolerance:
            return f"its residual does not prove a relative error below {short(self._relative_error_bound, 2)}"
        unfit = self._noise_to_refuse(averaged)
        if unfit is not None:
            return unfit
        if not is_rounding_small(plan, averaged):
            return (
                "the standard error does not cover the errors of the board, and further passes do not "
                "remove them"
            )
        if unexplained > noise_residual_bound(plan, averaged):
            return (
                "noise and rounding do not explain the residual, so the board does not do what it was told"
            )
        return None

    def _advance(self, reading: Reading) -> None:
        """Adds a reading to x̂, and computes the residual of the sum and the error bound that it proves."""
        self._last_pass = Pass(self._residual, reading.as_read or reading)
        self._y = self._y + reading.x
        self._certify()
