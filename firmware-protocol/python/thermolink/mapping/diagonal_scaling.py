"""The symmetric scaling W A W that brings the diagonal entries of A close together: a board has one scale for
all cells."""

from dataclasses import replace

import numpy as np

from ..linalg.systems import DenseSystem, System, diagonal_of

# A diagonal whose largest entry is at most this many times the smallest is not scaled.
_EVEN_RATIO = 16
# A diagonal with an entry below this is not scaled, because products with the entry would underflow.
_DIAGONAL_MIN = 1e-50


def diagonal_weights(system: System) -> np.ndarray:
    """The weights w [N], powers of two of at most 1. With them each w_i²·A_ii lies between half and twice the
    smallest A_ii. All weights are 1 if the diagonal is not scaled, and for a factor with damping. Source: van
    der Sluis, Numer. Math. 14 (1969)."""
    diagonal = diagonal_of(system)
    weights = np.ones(len(diagonal))
    if system.kind == "factored" and system.damping > 0:
        return weights
    smallest, largest = float(np.min(diagonal)), float(max(0.0, np.max(diagonal)))
    if not (smallest >= _DIAGONAL_MIN and largest > _EVEN_RATIO * smallest):
        return weights
    for i, entry in enumerate(diagonal.tolist()):
        while entry * weights[i] * weights[i] >= 2 * smallest:
            weights[i] /= 2
    return weights


def weighted_system(system: System, weights: np.ndarray) -> System:
    """W A W of a dense system; K W of a factored one, whose damping must be 0. Powers of two make the product
    exact."""
    if system.kind == "factored":
        return replace(system, factor=system.factor * weights)
    return DenseSystem(system.array * weights[:, None] * weights)
