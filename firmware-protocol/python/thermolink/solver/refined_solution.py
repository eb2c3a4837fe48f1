"""The common part of both refinements: the sum of readings, and the tests that it must pass to be an
answer."""

import math
from typing import Callable, Optional

import numpy as np

from ..errors import ThermolinkError
from ..linalg.products import norm2
from ..mapping.scaling import equilibrium_solution_scale, power_of_two_above
from .acceptance import certify, tolerance_not_met
from .failure import Pass, dead_cells, dead_cells_text
from .noise_budget import quietest_standard_error
from .passes import Reading, average, settle
from .plan import SolvePlan
from .result import SolveResult
from .session import BoardSession

# After this many refused averages the tolerance counts as not met.
AVERAGES_MAX = 3


class RefinedSolution:
    """The sum ŷ of readings with its residual r = W (b − A x̂), x̂ = W ŷ. The board settles and averages the
    system of the plan for r. A subclass decides how a reading changes ŷ, and when ŷ is good enough."""

    def __init__(self, plan: SolvePlan, session: BoardSession, drive: np.ndarray, tolerance: float) -> None:
        self.passes = 0
        self._plan = plan
        self._session = session
        self._weights = plan.evened[1]
        self._drive = drive * self._weights
        self._tolerance = tolerance
        self._averages = 0
        self._samples = 0
        self._y = np.zeros(len(drive))
        self._residual = self._drive.copy()
        self._relative_residual = 1.0
        self._relative_error_bound = math.inf
        self._relative_standard_error = math.inf
        self._scale_factor = 1.0
        self._last_pass: Optional[Pass] = None
        self._reason = "the error shrinks too slowly"

    def run(self) -> SolveResult:
        """The answer. Errors: TOLERANCE_NOT_MET if passes make no progress or reach their limit; OVERLOAD;
        those of the device."""
        raise NotImplementedError

    def _norm(self, y: np.ndarray) -> float:
        """‖W y‖₂: the size of y in the unknowns of A."""
        return norm2(y * self._weights)

    def _settle_above(self, first_floor: float, floor: Callable[[np.ndarray], float], learn: bool) -> Reading:
        """Settles the residual. The first scale is guessed from the scale that fitted the last residual, and
        is at least `first_floor`. Later scales are at least `floor(d)`. `learn`: the next guess is made from
        the scale that fits now."""
        plan = self._plan
        guess = equilibrium_solution_scale(
            self._residual, plan.spectrum.eigenvalue_min, plan.system_scale, plan.identity
        )
        first_scale = max(guess * self._scale_factor, power_of_two_above(first_floor))
        reading = settle(plan, self._session, self._residual, first_scale, floor)
        if guess > 0 and learn:
            self._scale_factor = reading.solution_scale / guess
        self._samples += 1
        return reading

    def _average_from(self, start: Reading, noise: float, norm: float) -> Reading:
        """Averages the residual's program under noise κ, until the standard error is at most
        tolerance/2·`norm`."""

        def is_enough(standard_error: np.ndarray) -> bool:
            self._relative_standard_error = self._norm(standard_error) / norm
            return self._relative_standard_error <= self._tolerance / 2

        self._relative_standard_error = math.inf
        return average(self._plan, self._session, self._residual, start, noise, is_enough)

    def _certify(self) -> None:
        """Computes the residual of ŷ anew, and the bound that it proves."""
        certificate = certify(self._plan.evened, self._drive, self._y)
        self._residual = certificate.residual
        self._relative_residual = certificate.relative_residual
        self._relative_error_bound = certificate.relative_error_bound

    def _noise_to_refuse(self, averaged: Reading) -> Optional[str]:
        """The reason why the standard error must not be reported; None if it may be."""
        if self._relative_standard_error > self._tolerance / 2:
            return "the standard error stays above half the tolerance"
        if norm2(averaged.standard_error) < quietest_standard_error(self._plan, averaged):
            return "the readings fluctuate less than the noise that was asked for"
        return None

    def _result(self, y: np.ndarray, averaged: Reading, quantization_error: float) -> SolveResult:
        return SolveResult(
            x=y * self._weights,
            standard_error=averaged.standard_error * self._weights,
            quantization_error=quantization_error,
            carry_noise_share=averaged.carry_noise_share,
            relative_residual=self._relative_residual,
            passes=self.passes,
            samples=self._samples,
            cost=self._session.cost,
        )

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
