"""Refinement with a board that is programmed with A + σI in place of A. The host combines the readings."""

import math
from dataclasses import replace
from typing import List, Optional, Tuple

import numpy as np

from ..linalg.products import norm2
from ..linalg.systems import apply_system
from ..mapping.equilibrium import noise_limited_scale
from ..texts import short
from .acceptance import certify
from .corrections import settled_mean
from .directions import ConjugateDirections, Step, is_stalled
from .failure import Pass, reason_of_stall, reason_of_zeros
from .noise_budget import NOISE_SHARE, SYSTEMATIC_SHARE, noise_of_standard_error
from .passes import Reading
from .plan import SolvePlan
from .refined_solution import AVERAGES_MAX, RefinedSolution
from .result import SolveResult
from .session import BoardSession

_PASSES_MAX = 256
# If an average is further than this many standard errors from the reading of the same program without noise,
# noise does not explain the difference.
_DEVIATIONS_MAX = 8


class CombinedRefinement(RefinedSolution):
    """Each pass settles (A + σI) d = r for the residual r. The host takes the step along the A-orthogonal
    part of d that makes the error smallest in the A-norm, so the board is the preconditioner of a conjugate
    gradient method. The sum ŷ is refined until ‖r‖₂/λ₋ proves that its relative error is at most a sixteenth
    of the tolerance. Then one program is averaged under noise, and also run without noise. The difference of
    the two results is pure noise ν. The answer is ŷ + ν, with

        ‖x̂ − x‖₂ ≤ ‖r‖₂/λ₋ + ‖ν‖₂."""

    def __init__(self, plan: SolvePlan, session: BoardSession, drive: np.ndarray, tolerance: float) -> None:
        super().__init__(plan, session, drive, tolerance)
        self._checked = plan.evened[0]
        self._directions = ConjugateDirections(self._product)
        self._energies: List[float] = []

    def run(self) -> SolveResult:
        while self._averages < AVERAGES_MAX:
            self._refine(SYSTEMATIC_SHARE * NOISE_SHARE * 2.0**-self._averages * self._tolerance)
            averaged, noise = self._average()
            # The reading without noise, which was added to ŷ, may contain an offset of the board.
            self._refine(SYSTEMATIC_SHARE * self._relative_standard_error)
            answer = self._judge(averaged, noise)
            if answer is not None:
                return answer
            self._averages += 1
        raise self._not_met(self._reason)

    def _product(self, x: np.ndarray) -> np.ndarray:
        return apply_system(self._checked.system, x)

    @property
    def _systematic(self) -> float:
        """‖r‖₂/λ₋, the bound on the error of ŷ."""
        return norm2(self._residual) / self._checked.spectrum.eigenvalue_min

    def _refine(self, limit: float) -> None:
        """Makes passes until the bound on the error of ŷ is at most `limit`·‖x̂‖₂. The last residual is
        computed anew."""

        def is_enough() -> bool:
            return self._systematic <= limit * self._norm(self._y)

        while True:
            if is_enough():
                self._certify()
                if is_enough():
                    return
            if self.passes == _PASSES_MAX:
                raise self._not_met(self._reason)
            self.passes += 1
            self._pass()

    def _pass(self) -> None:
        reading = self._settle(0.0)
        one = Pass(self._residual, reading)
        self._last_pass = one
        step = self._directions.step(reading.x, self._residual)
        if step is None:
            raise self._not_met(reason_of_zeros(self._plan, one, self.passes))
        self._advance(step)
        norm, error = self._norm(self._y), self._systematic
        self._relative_error_bound = error / (norm - error) if error < norm else math.inf
        self._energies.append(step.energy)
        if is_stalled(self._energies, self._residual, self._checked.spectrum.eigenvalue_max):
            raise self._not_met(reason_of_stall(self._plan, one, 1.0))

    def _advance(self, step: Step) -> None:
        self._y = self._y + step.step
        self._residual = self._residual - step.image

    def _settle(self, scale_floor: float) -> Reading:
        """Settles the residual, at a scale that is not finer than `scale_floor`."""
        return self._settle_above(scale_floor, lambda x: scale_floor, learn=scale_floor == 0)

    def _average(self) -> Tuple[Reading, np.ndarray]:
        """Averages the program of the residual under noise. Adds the reading of the same program without
        noise to ŷ. Returns the average and ν."""
        plan, session = self._plan, self._session
        norm = self._norm(self._y)
        wanted = noise_of_standard_error(plan, self._tolerance, self._averages, norm)
        start = self._settle(noise_limited_scale(plan, wanted))
        averaged = self._average_from(start, wanted, norm)
        settled = settled_mean(plan, session, self._residual, averaged)
        if settled is None:
            raise self._not_met("the board overloads without noise, although it did not overload with noise")
        self._samples += averaged.samples + settled.runs
        self._advance(Step(settled.mean, self._product(settled.mean), 0.0))
        self._advance(self._directions.again(self._residual))
        error = averaged.standard_error
        averaged = replace(averaged, standard_error=np.sqrt(error * error + settled.wandering))
        self._relative_standard_error = self._norm(averaged.standard_error) / norm
        return averaged, averaged.x - settled.mean

    def _judge(self, averaged: Reading, noise: np.ndarray) -> Optional[SolveResult]:
        """ŷ + ν if it is good enough. Otherwise ŷ stays unchanged, and another average follows."""
        answer = self._y + noise
        norm = self._norm(answer)
        self._relative_residual = certify(self._plan.evened, self._drive, answer).relative_residual
        # The bound of ŷ is β = e/(‖ŷ‖ − e), so e/‖ŷ‖ is β/(1 + β).
        refined = self._relative_error_bound / (1 + self._relative_error_bound)
        error = refined * self._norm(self._y) + self._norm(noise)
        self._relative_error_bound = error / (norm - error) if error < norm else math.inf
        self._relative_standard_error = self._norm(averaged.standard_error) / norm
        reason = self._reason_to_refuse(averaged, noise)
        if reason is not None:
            self._reason = reason
            return None
        return self._result(answer, averaged, self._systematic / norm)

    def _reason_to_refuse(self, averaged: Reading, noise: np.ndarray) -> Optional[str]:
        if self._relative_error_bound > self._tolerance:
            bound = short(self._relative_error_bound, 2)
            return f"its residual and its noise do not prove a relative error below {bound}"
        unfit = self._noise_to_refuse(averaged)
        if unfit is not None:
            return unfit
        if norm2(noise) > _DEVIATIONS_MAX * norm2(averaged.standard_error):
            return "the average differs from the readings without noise by more than their fluctuations explain"
        return None
