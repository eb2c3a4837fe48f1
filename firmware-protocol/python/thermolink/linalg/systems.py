"""A symmetric A in one of two forms: given entry by entry, or as KᵀK + λI by its factor."""

from dataclasses import dataclass, replace
from typing import Union

import numpy as np

from .products import mat_vec, mat_vec_transposed, ordered_sum


@dataclass(frozen=True, eq=False)
class DenseSystem:
    """A, N×N, float64."""

    matrix: np.ndarray
    kind = "dense"
    damping = 0.0

    @property
    def array(self) -> np.ndarray:
        """The matrix that becomes couplings."""
        return self.matrix


@dataclass(frozen=True, eq=False)
class FactoredSystem:
    """A = KᵀK + λI: `factor` K is m×N, float64, and `damping` λ ≥ 0 has the units of A. A is never formed."""

    factor: np.ndarray
    damping: float
    kind = "factored"

    @property
    def array(self) -> np.ndarray:
        """The matrix that becomes couplings."""
        return self.factor


System = Union[DenseSystem, FactoredSystem]


def dimension_of(system: System) -> int:
    """N, the number of unknowns."""
    return system.array.shape[1]


def apply_system(system: System, x: np.ndarray) -> np.ndarray:
    """A x [N]: one product with A, or two with K."""
    if system.kind == "dense":
        return mat_vec(system.array, x)
    return mat_vec_transposed(system.array, mat_vec(system.array, x)) + system.damping * x


def damped_system(system: System, damping: float) -> System:
    """A + λI."""
    if system.kind == "factored":
        return replace(system, damping=system.damping + damping)
    return DenseSystem(without_damping(system.array, -damping))


def without_damping(a: np.ndarray, damping: float) -> np.ndarray:
    """A − λI of a square A; A itself for 0."""
    if damping == 0:
        return a
    out = a.copy()
    at = np.arange(len(out))
    out[at, at] -= damping
    return out


def diagonal_of(system: System) -> np.ndarray:
    """The diagonal of A, length N."""
    if system.kind == "dense":
        return np.diagonal(system.array).copy()
    diagonal = np.zeros(dimension_of(system))
    for row in system.array:
        diagonal += row * row
    return diagonal + system.damping


def trace_of(system: System) -> float:
    """tr A."""
    if system.kind == "dense":
        return ordered_sum(np.diagonal(system.array))
    values = system.array.ravel()
    return ordered_sum(values * values) + dimension_of(system) * system.damping


def is_definite(a: np.ndarray) -> bool:
    """Whether a Cholesky factorisation of a symmetric A succeeds. Only its lower triangle is read."""
    try:
        np.linalg.cholesky(a)
        return True
    except np.linalg.LinAlgError:
        return False
