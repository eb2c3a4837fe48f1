"""Plans how the board solves one system to a tolerance. If a plan makes no progress, there may be a next
one."""

from dataclasses import dataclass, fields
from typing import List, Optional, Tuple

import numpy as np

from ..device.identity import Identity
from ..errors import ThermolinkError
from ..mapping.checked_system import CheckedSystem
from ..mapping.equilibrium import EquilibriumPlan, plan_equilibrium
from ..mapping.scaling import refuse_too_long
from .acceptance import is_of_codes, refuse_beyond_float64
from .noise_budget import NOISE_SHARE, SYSTEMATIC_SHARE

# A solve is too long if settling and this many samples take more ticks than allowed.
_SAMPLES_COUNTED = 50
# The largest condition of the system on the board, one number for each attempt.
_CONDITIONS_MAX = (3000, 300, 30)
# A damping must reduce the condition by at least this factor; otherwise it does not help.
_GAIN_MIN = 2


@dataclass(frozen=True, eq=False)
class SolvePlan(EquilibriumPlan):
    """`evened` is W A W and the weights w. σ = `damping` has the units of W A W. The board has W A W + σI;
    `system` and `spectrum` belong to that matrix. With σ = 0 the board has W A W itself."""

    evened: Tuple[CheckedSystem, np.ndarray]
    damping: float


class SolvePlans:
    """`current` is a plan. `advance` moves to the next plan, which has more damping. Nothing is sent. If
    `tolerance` is None, no tolerance is checked.

    Errors: NOT_POSITIVE_DEFINITE; TOLERANCE_NOT_MET for a tolerance beyond float64 or beyond the board's
    codes; UNSUPPORTED for board runs of more than `ticks_max` ticks."""

    def __init__(
        self,
        identity: Identity,
        system: CheckedSystem,
        tolerance: Optional[float],
        ticks_max: Optional[float] = None,
    ) -> None:
        self._identity = identity
        self._evened = system.evened
        self._ticks_max = ticks_max
        self._dampings = _dampings_of(self._evened[0])
        if tolerance is not None:
            is_plain = self._dampings[0] == 0
            refuse_beyond_float64(
                self._evened[0], tolerance, 1.0 if is_plain else SYSTEMATIC_SHARE * NOISE_SHARE
            )
        self.current = self._next()

    def advance(self) -> bool:
        """Moves to the next plan. Returns False if there is none."""
        try:
            if not self._dampings:
                return False
            self.current = self._next()
            return True
        except ThermolinkError as error:
            if is_of_codes(error):
                return False
            raise

    def _next(self) -> SolvePlan:
        """The first remaining plan whose codes are positive definite. Errors: those of the last plan."""
        while True:
            damping = self._dampings.pop(0)
            try:
                return self._make(damping)
            except ThermolinkError as error:
                if not is_of_codes(error) or not self._dampings:
                    raise

    def _make(self, damping: float) -> SolvePlan:
        checked = self._evened[0] if damping == 0 else self._evened[0].damped(damping)
        plan = plan_equilibrium(checked, self._identity)
        refuse_too_long(plan.settle_ticks + _SAMPLES_COUNTED * plan.ticks_per_sample, self._ticks_max)
        parts = {field.name: getattr(plan, field.name) for field in fields(EquilibriumPlan)}
        return SolvePlan(**parts, evened=self._evened, damping=damping)


def _dampings_of(checked: CheckedSystem) -> List[float]:
    """σ for each attempt, the smallest first."""
    spectrum = checked.spectrum
    dampings = [
        spectrum.eigenvalue_max / most - spectrum.eigenvalue_min
        for most in _CONDITIONS_MAX
        if spectrum.condition > _GAIN_MIN * most
    ]
    return dampings if spectrum.condition > _GAIN_MIN * _CONDITIONS_MAX[0] else [0.0, *dampings]
