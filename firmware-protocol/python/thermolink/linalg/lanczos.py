"""Extreme eigenvalues of a symmetric matrix. Only its product with a vector is known."""

import math
from dataclasses import dataclass
from typing import Callable, List, Tuple

import numpy as np

from .products import dot, norm2

_EPSILON = 2.0**-52
_SWEEPS_MAX = 60


@dataclass(frozen=True)
class ExtremeEigenvalues:
    """Smallest and largest Ritz value. An eigenvalue lies within `min_residual` of `min`, and one within
    `max_residual` of `max`. `inverse_moment` is the Gauss quadrature of vᵀA⁻¹v for the unit start vector v.
    It is infinite if a Ritz value is not positive."""

    min: float
    min_residual: float
    max: float
    max_residual: float
    inverse_moment: float
    steps: int


def lanczos_extremes(
    apply: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    steps_max: int,
    relative_residual: float = 0.02,
) -> ExtremeEigenvalues:
    """Lanczos' method with full reorthogonalisation. It ends when both residuals are at most
    `relative_residual` times the magnitude of their Ritz values, or after `steps_max` steps. Source: Parlett,
    "The Symmetric Eigenvalue Problem", chapter 13."""
    steps_max = min(len(start), steps_max)
    basis = [start / norm2(start)]
    alpha: List[float] = []
    beta: List[float] = []
    next_check = min(8, steps_max)
    while True:
        step = len(alpha)
        w = np.array(apply(basis[step]))
        alpha.append(dot(w, basis[step]))
        # Two sweeps are enough: the second one removes the rounding errors of the first.
        for _ in range(2):
            for q in basis:
                w -= dot(w, q) * q
        remainder = norm2(w)
        scale = abs(alpha[step]) + (beta[step - 1] if step > 0 else 0.0)
        exhausted = not remainder > 1e-14 * max(scale, max(abs(value) for value in alpha))
        finished = exhausted or len(alpha) == steps_max
        if finished or len(alpha) == next_check:
            extremes = _extremes_of(alpha, beta, 0.0 if exhausted else remainder)
            is_close = extremes.min_residual <= relative_residual * abs(
                extremes.min
            ) and extremes.max_residual <= relative_residual * abs(extremes.max)
            if finished or is_close:
                return extremes
            next_check = min(steps_max, math.ceil(1.3 * next_check))
        beta.append(remainder)
        basis.append(w / remainder)


def _extremes_of(alpha: List[float], beta: List[float], remainder: float) -> ExtremeEigenvalues:
    values, first, last = tridiagonal_eigen(alpha, beta)
    low = min(range(len(values)), key=values.__getitem__)
    high = max(range(len(values)), key=values.__getitem__)
    moment = math.inf
    if values[low] > 0:
        moment = 0.0
        for share, value in zip(first, values):
            moment += share * share / value
    return ExtremeEigenvalues(
        values[low], abs(remainder * last[low]), values[high], abs(remainder * last[high]), moment, len(alpha)
    )


def tridiagonal_eigen(
    diagonal: List[float], off_diagonal: List[float]
) -> Tuple[List[float], List[float], List[float]]:
    """Eigenvalues, in no order, of a symmetric tridiagonal matrix, and the first and last component of each
    normalised eigenvector. Implicit QL with Wilkinson's shift. Source: Golub, Welsch, Math. Comp. 23
    (1969)."""
    n = len(diagonal)
    d, e = list(diagonal), (list(off_diagonal) + [0.0])[:n]
    first, last = [0.0] * n, [0.0] * n
    first[0] = last[n - 1] = 1.0
    for at in range(n):
        for sweep in range(_SWEEPS_MAX + 1):
            m = _first_negligible(d, e, at)
            if m == at:
                break
            assert sweep < _SWEEPS_MAX, "implicit QL does not converge on a finite matrix"
            _sweep(d, e, at, m, (first, last))
    return d, first, last


def _first_negligible(d: List[float], e: List[float], start: int) -> int:
    m = start
    while m < len(d) - 1 and abs(e[m]) > _EPSILON * (abs(d[m]) + abs(d[m + 1])):
        m += 1
    return m


def _sweep(
    d: List[float], e: List[float], at: int, m: int, components: Tuple[List[float], List[float]]
) -> None:
    g = (d[at + 1] - d[at]) / (2 * e[at])
    r = math.hypot(g, 1)
    g = d[m] - d[at] + e[at] / (g + (r if g >= 0 else -r))
    s = c = 1.0
    p = 0.0
    for i in range(m - 1, at - 1, -1):
        f, b = s * e[i], c * e[i]
        r = math.hypot(f, g)
        e[i + 1] = r
        if r == 0:
            d[i + 1] -= p
            e[m] = 0.0
            return
        s, c = f / r, g / r
        g = d[i + 1] - p
        r = (d[i] - g) * s + 2 * c * b
        p = s * r
        d[i + 1] = g + p
        g = c * r - b
        for z in components:
            moved = z[i + 1]
            z[i + 1] = s * z[i] + c * moved
            z[i] = c * z[i] - s * moved
    d[at] -= p
    e[at] = g
    e[m] = 0.0
