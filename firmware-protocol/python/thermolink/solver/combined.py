"""Refinement with a board that has A + σI in place of A: the host combines its readings."""

import math
from dataclasses import replace
from typing import List, Optional, Tuple

import numpy as np

from ..errors import ThermolinkError
from ..linalg.products import norm2
from ..linalg.systems import apply_system
from ..mapping.equilibrium import noise_limited_scale
from ..mapping.scaling import equilibrium_solution_scale, power_of_two_above
from ..texts import short
from .acceptance import certify, tolerance_not_met
from .corrections import settled_mean
from .directions import ConjugateDirections, Step, is_stalled
from .failure import Pass, dead_cells, dead_cells_text, reason_of_stall, reason_of_zeros
from .noise_budget import NOISE_SHARE, SYSTEMATIC_SHARE, noise_of_standard_error, quietest_standard_error
from .passes import Reading, average, settle
from .plan import SolvePlan
from .result import SolveResult
from .session import BoardSession

_AVERAGES_MAX = 3
_PASSES_MAX = 256
# An average that is so many standard errors from the same program without noise has another cause.
_DEVIATIONS_MAX = 8


class CombinedRefinement:
    """Each pass settles (A + σI) d = r for the residual r, and the host takes the step along the A-orthogonal
    part of d that makes the error smallest in the A-norm: the board preconditions conjugate gradients. The
    sum ŷ is refined until ‖r‖₂/λ₋ proves it to a sixteenth of the tolerance. Then one program is averaged
    under noise and read without: its average less that reading is noise alone, ν, and ŷ + ν is the answer,
    with

        ‖x̂ − x‖₂ ≤ ‖r‖₂/λ₋ + ‖ν‖₂."""

    def __init__(self, plan: SolvePlan, session: BoardSession, drive: np.ndarray, tolerance: float) -> None:
        self.passes = 0
        self._plan = plan
        self._session = session
        self._checked, self._weights = plan.evened
        self._drive = drive * self._weights
        self._tolerance = tolerance
        self._directions = ConjugateDirections(self._product)
        self._averages = 0
        self._samples = 0
        self._y = np.zeros(len(drive))
        self._residual = self._drive.copy()
        self._relative_residual = 1.0
        self._relative_error_bound = math.inf
        self._relative_standard_error = math.inf
        self._energies: List[float] = []
        self._scale_factor = 1.0
        self._last_pass: Optional[Pass] = None
        self._reason = "the error shrinks too slowly"

    def run(self) -> SolveResult:
        """The answer. Errors: TOLERANCE_NOT_MET when passes lead nowhere or run out; OVERLOAD; those of the
        device."""
        while self._averages < _AVERAGES_MAX:
            self._refine(SYSTEMATIC_SHARE * NOISE_SHARE * 2.0**-self._averages * self._tolerance)
            averaged, noise = self._average()
            # An offset of the board may have come with the reading without noise.
            self._refine(SYSTEMATIC_SHARE * self._relative_standard_error)
            answer = self._judge(averaged, noise)
            if answer is not None:
                return answer
            self._averages += 1
        raise self._not_met(self._reason)

    def _product(self, x: np.ndarray) -> np.ndarray:
        return apply_system(self._checked.system, x)

    def _norm(self, y: np.ndarray) -> float:
        return norm2(y * self._weights)

    @property
    def _systematic(self) -> float:
        """‖r‖₂/λ₋, the bound on the error of ŷ."""
        return norm2(self._residual) / self._checked.spectrum.eigenvalue_min

    def _refine(self, limit: float) -> None:
        """Passes until the bound on the error of ŷ is `limit` of ‖x̂‖₂, by a residual that was formed
        anew."""

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

    def _certify(self) -> None:
        """Forms the residual of ŷ anew, without the rounding of many steps."""
        certificate = certify(self._plan.evened, self._drive, self._y)
        self._residual = certificate.residual
        self._relative_residual = certificate.relative_residual
        self._relative_error_bound = certificate.relative_error_bound

    def _settle(self, scale_floor: float) -> Reading:
        """Settles the residual, at a scale that is not finer than `scale_floor`."""
        plan = self._plan
        guess = equilibrium_solution_scale(
            self._residual, plan.spectrum.eigenvalue_min, plan.system_scale, plan.identity
        )
        first_scale = max(guess * self._scale_factor, power_of_two_above(scale_floor))
        reading = settle(plan, self._session, self._residual, first_scale, lambda x: scale_floor)
        if guess > 0 and scale_floor == 0:
            self._scale_factor = reading.solution_scale / guess
        self._samples += 1
        return reading

    def _average(self) -> Tuple[Reading, np.ndarray]:
        """Averages the residual's program under noise. What it settles to without noise goes into ŷ."""
        plan, session = self._plan, self._session
        norm = self._norm(self._y)
        wanted = noise_of_standard_error(plan, self._tolerance, self._averages, norm)
        start = self._settle(noise_limited_scale(plan, wanted))

        def is_enough(standard_error: np.ndarray) -> bool:
            self._relative_standard_error = self._norm(standard_error) / norm
            return self._relative_standard_error <= self._tolerance / 2

        self._relative_standard_error = math.inf
        averaged = average(plan, session, self._residual, start, wanted, is_enough)
        settled = settled_mean(plan, session, self._residual, averaged)
        if settled is None:
            raise self._not_met("the board overloads without noise where it did not with noise")
        self._samples += averaged.samples + settled.runs
        self._advance(Step(settled.mean, self._product(settled.mean), 0.0))
        self._advance(self._directions.again(self._residual))
        error = averaged.standard_error
        averaged = replace(averaged, standard_error=np.sqrt(error * error + settled.wandering))
        self._relative_standard_error = self._norm(averaged.standard_error) / norm
        return averaged, averaged.x - settled.mean

    def _judge(self, averaged: Reading, noise: np.ndarray) -> Optional[SolveResult]:
        """ŷ + ν if it is good enough. Otherwise ŷ stays, and another average follows."""
        answer = self._y + noise
        norm = self._norm(answer)
        self._relative_residual = certify(self._plan.evened, self._drive, answer).relative_residual
        # The bound of ŷ, e/(‖x̂‖ − e), back to e.
        refined = self._relative_error_bound / (1 + self._relative_error_bound)
        error = refined * self._norm(self._y) + self._norm(noise)
        self._relative_error_bound = error / (norm - error) if error < norm else math.inf
        self._relative_standard_error = self._norm(averaged.standard_error) / norm
        reason = self._reason_to_refuse(averaged, noise)
        if reason is not None:
            self._reason = reason
            return None
        return SolveResult(
            x=answer * self._weights,
            standard_error=averaged.standard_error * self._weights,
            quantization_error=self._systematic / norm,
            carry_noise_share=averaged.carry_noise_share,
            relative_residual=self._relative_residual,
            passes=self.passes,
            samples=self._samples,
            cost=self._session.cost,
        )

    def _reason_to_refuse(self, averaged: Reading, noise: np.ndarray) -> Optional[str]:
        if self._relative_error_bound > self._tolerance:
            bound = short(self._relative_error_bound, 2)
            return f"its residual and its noise prove no relative error below {bound}"
        if self._relative_standard_error > self._tolerance / 2:
            return "the standard error stays above half the tolerance"
        error = norm2(averaged.standard_error)
        if error < quietest_standard_error(self._plan, averaged):
            return "the readings fluctuate less than the noise that was asked for"
        if norm2(noise) > _DEVIATIONS_MAX * error:
            return "the average is further from the readings without noise than their fluctuations explain"
        return None

    def _not_met(self, reason: str) -> ThermolinkError:
        dead = [] if self._last_pass is None else dead_cells(self._plan, self._last_pass)
        return tolerance_not_met(
            reason + dead_cells_text(dead),
            self._tolerance,
            self.passes,
            self._relative_residual,
            self._relative_error_bound,
            [cell for cell, _, _ in dead],
        )
