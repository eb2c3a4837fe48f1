"""Finds the part of a residual that rounding and the board's errors explain, and removes it from an
average."""

from dataclasses import dataclass, replace
from typing import List, Optional

import numpy as np

from ..linalg.products import norm2
from ..linalg.systems import apply_system
from ..mapping.equilibrium import SETTLE_REMAINDER, EquilibriumPlan
from ..mapping.quantize import read_out
from ..mapping.scaling import equilibrium_solution_scale
from .noise_budget import step_residual
from .passes import Reading, commit_program, rounding_error_bound, settle
from .plan import SolvePlan
from .session import BoardSession

# The number of runs without noise at the scale of the average. Their scatter shows errors that change from
# run to run.
_CHECK_RUNS = 4
# A board that leaves more than this part of a drive as residual does not solve the programmed system.
_LEFT_MAX = 0.5
# A residual counts as explained when it is at most this many times the residual that its known causes can
# give.
_SUSPICION = 2
# The error from rounding in an averaged answer must be below this part of its standard error.
_ROUNDING_SHARE = 1 / 4
# A compensation that leaves more than this part of the rounding is useless.
_COMPENSATION_LEFT_MAX = 0.9
_COMPENSATIONS_MAX = 24


def is_imperfect(plan: EquilibriumPlan, drive: np.ndarray, reading: Reading) -> bool:
    """Whether the residual of a reading without noise is larger than its known causes: rounding to codes and
    ADC steps, and incomplete settling."""
    left = drive - apply_system(plan.system, reading.x)
    norm = norm2(drive)
    if norm2(left) > _LEFT_MAX * norm:
        return False
    settling = SETTLE_REMAINDER * norm
    explained = settling + step_residual(plan, reading.solution_scale)
    return norm2(left - reading.rounding) > _SUSPICION * explained


@dataclass(frozen=True, eq=False)
class SettledMean:
    """The result of an average's program without noise: the mean of some runs, and the variance, in units of
    x², of the difference between this mean and one more reading."""

    mean: np.ndarray
    wandering: float
    runs: int


def settled_mean(
    plan: EquilibriumPlan, session: BoardSession, drive: np.ndarray, averaged: Reading
) -> Optional[SettledMean]:
    """Runs the program of an average without noise, starting at the average. None after an overload."""
    commit_program(plan, session, drive, averaged.solution_scale, averaged.x, 0.0)
    readings: List[np.ndarray] = []
    for _ in range(_CHECK_RUNS):
        run = session.acquire(plan.settle_ticks, 1, 0)
        if run.report.outcome != "overload":
            readings.append(read_out(run.codes[0], averaged.solution_scale, plan.identity))
    if len(readings) < _CHECK_RUNS:
        return None
    mean = np.zeros(len(drive))
    for reading in readings:
        mean += reading / len(readings)
    squares = 0.0
    for reading in readings:
        distance = norm2(reading - mean)
        squares += distance * distance
    variance = squares / ((len(readings) - 1) * len(mean))
    return SettledMean(mean, (1 + 1 / _CHECK_RUNS) * variance, _CHECK_RUNS)


def with_systematic_error(
    plan: EquilibriumPlan, session: BoardSession, drive: np.ndarray, averaged: Reading
) -> Reading:
    """An average whose systematic error is measured. The same program without noise reads d₀, and s₀ = r − A
    d₀ is the part of the residual that is not noise. s₀ replaces the part that the codes explain. The
    variance of the changes from run to run is added to the square of the standard error."""
    settled = settled_mean(plan, session, drive, averaged)
    if settled is None:
        return averaged
    systematic = drive - apply_system(plan.system, settled.mean)
    steps = _SUSPICION * step_residual(plan, averaged.solution_scale)
    is_explained = norm2(systematic - averaged.rounding) <= steps
    error = averaged.standard_error
    return replace(
        averaged,
        as_read=averaged,
        samples=averaged.samples + _CHECK_RUNS,
        rounding=averaged.rounding if is_explained else systematic,
        standard_error=np.sqrt(error * error + settled.wandering),
    )


def compensate_rounding(plan: SolvePlan, session: BoardSession, average: Reading) -> Reading:
    """Removes the error from rounding to codes from an average. Passes without noise solve A d = rounding and
    add d to the average. They end when the error is small or hardly shrinks."""
    answer, compensations = average, 0
    while compensations < _COMPENSATIONS_MAX and not is_rounding_small(plan, answer):
        rounding = answer.rounding
        guess = equilibrium_solution_scale(
            rounding, plan.spectrum.eigenvalue_min, plan.system_scale, plan.identity
        )
        correction = settle(plan, session, rounding, guess, lambda x: 0.0)
        compensations += 1
        answer = replace(
            answer,
            x=answer.x + correction.x,
            rounding=rounding - apply_system(plan.system, correction.x),
            samples=answer.samples + 1,
        )
        if norm2(answer.rounding) > _COMPENSATION_LEFT_MAX * norm2(rounding):
            break
    return replace(answer, compensations=compensations)


def is_rounding_small(plan: SolvePlan, average: Reading) -> bool:
    """Whether the known error of an average other than noise is at most a quarter of its standard error, in
    the unknowns of A."""
    standard_error = norm2(average.standard_error * plan.evened[1])
    return rounding_error_bound(plan, average) <= _ROUNDING_SHARE * standard_error
