"""Bounds of a system that one pass over its entries finds."""

import math
from dataclasses import dataclass

import numpy as np

from ..linalg.products import ordered_sum
from ..linalg.systems import FactoredSystem, System

_SMALLEST = 5e-324


@dataclass(frozen=True)
class SystemMeasure:
    """max |K_ri| or max |A_ij|; the largest row sum of magnitudes; bounds of λ_max and λ_min in units of A.
    An entry that is not finite makes `eigenvalue_bound` not finite."""

    largest_entry: float
    row_sum_max: float
    eigenvalue_bound: float
    eigenvalue_floor: float


def measure_system(system: System) -> SystemMeasure:
    """For a factor, `eigenvalue_bound` is ‖K‖_F² + λ and `eigenvalue_floor` is λ. For a dense A they are
    min(‖A‖_F, largest row sum) and Gershgorin's lower bound, at least 0."""
    with np.errstate(all="ignore"):
        return _measure_dense(system.array) if system.kind == "dense" else _measure_factor(system)


def _measure_factor(system: FactoredSystem) -> SystemMeasure:
    magnitudes = np.abs(system.factor)
    if magnitudes.size == 0:
        return SystemMeasure(0.0, 0.0, system.damping, system.damping)
    largest = float(np.max(magnitudes))
    row_sum_max = float(np.max(_sums_of_rows(magnitudes)))
    squares = ordered_sum(_sums_of_rows(magnitudes * magnitudes))
    # Squares may underflow to 0, but only a factor of zeros may have the bound 0.
    squares = max(squares, _SMALLEST) if largest > 0 else squares
    return SystemMeasure(largest, row_sum_max, squares + system.damping, system.damping)


def _sums_of_rows(values: np.ndarray) -> np.ndarray:
    """The sum of each row. Entries of even and of odd index are added up apart, then the two sums are added,
    then a last entry without a partner."""
    rows, columns = values.shape
    whole = columns - columns % 2
    halves = np.zeros((rows, 2))
    for start in range(0, whole, 2):
        halves += values[:, start : start + 2]
    rest = values[:, -1] if whole < columns else np.zeros(rows)
    return halves[:, 0] + halves[:, 1] + rest


def _measure_dense(a: np.ndarray) -> SystemMeasure:
    magnitudes = np.abs(a)
    if a.size == 0 or a.shape[0] != a.shape[1]:
        return SystemMeasure(0.0, 0.0, math.nan, 0.0)
    largest = float(np.max(magnitudes))
    row_sums = np.add.accumulate(magnitudes, axis=1)[:, -1]
    squares = magnitudes.ravel()
    squares = ordered_sum(squares * squares)
    diagonal = np.diagonal(a)
    floor = float(np.min(diagonal - (row_sums - np.abs(diagonal))))
    row_sum_max = float(np.max(row_sums))
    # Squares of tiny entries underflow to 0. The bound is therefore never below the largest entry.
    bound = max(largest, min(math.sqrt(squares), row_sum_max)) if math.isfinite(squares) else squares
    return SystemMeasure(largest, row_sum_max, bound, max(0.0, floor))
