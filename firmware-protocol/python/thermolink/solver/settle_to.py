"""Solves without noise and without a standard error, for the mean of draws."""

from dataclasses import dataclass
from typing import List

import numpy as np

from ..linalg.products import norm2
from ..linalg.systems import apply_system
from ..mapping.scaling import equilibrium_solution_scale
from .acceptance import tolerance_not_met
from .directions import ConjugateDirections, is_stalled
from .failure import Pass, reason_of_stall, reason_of_zeros
from .passes import settle
from .plan import SolvePlan
from .session import BoardSession

_PASSES_MAX = 256


@dataclass(frozen=True, eq=False)
class SettledAnswer:
    """x [N] and ‖b − A x‖₂/‖b‖₂."""

    x: np.ndarray
    relative_residual: float


def settle_to(plan: SolvePlan, session: BoardSession, drive: np.ndarray, tolerance: float) -> SettledAnswer:
    """Makes passes without noise until ‖b − A x‖₂ ≤ tolerance·‖b‖₂ for b = `drive`, not 0. Each pass settles
    A d = r for the residual r. `ConjugateDirections` gives the step along d. Errors: TOLERANCE_NOT_MET if
    passes make no progress or reach their limit; OVERLOAD; those of the device."""
    checked, weights = plan.evened
    directions = ConjugateDirections(lambda x: apply_system(checked.system, x))
    weighted_drive = drive * weights
    norm = norm2(drive)
    energies: List[float] = []
    factor = 1.0
    y = np.zeros(len(drive))
    residual, relative_residual = weighted_drive, 1.0
    for passes in range(1, _PASSES_MAX + 1):
        guess = equilibrium_solution_scale(
            residual, plan.spectrum.eigenvalue_min, plan.system_scale, plan.identity
        )
        reading = settle(plan, session, residual, guess * factor, lambda x: 0.0)
        factor = reading.solution_scale / guess
        one = Pass(residual, reading)
        step = directions.step(reading.x, residual)
        if step is not None:
            y = y + step.step
            # The residual is computed anew, so it has no rounding of earlier steps.
            residual = weighted_drive - apply_system(checked.system, y)
            relative_residual = norm2(residual / weights) / norm
            energies.append(step.energy)
            if relative_residual <= tolerance:
                break
        if (
            step is None
            or is_stalled(energies, residual, checked.spectrum.eigenvalue_max)
            or passes == _PASSES_MAX
        ):
            reason = reason_of_zeros(plan, one, passes) if step is None else reason_of_stall(plan, one, 1.0)
            raise tolerance_not_met(reason, tolerance, passes, relative_residual, float("inf"))
    return SettledAnswer(y * weights, relative_residual)
