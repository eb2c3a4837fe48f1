"""Bounds of the eigenvalues of a system. The host uses them to choose scales and times; they are never part
of an answer."""

import math
from dataclasses import dataclass, replace

from ..errors import ThermolinkError
from ..texts import short
from .lanczos import ExtremeEigenvalues, lanczos_extremes
from .philox import normal_vector
from .systems import System, apply_system, diagonal_of, dimension_of, is_definite, trace_of, without_damping

# Up to this N a Cholesky factorisation decides whether a matrix is positive definite. For larger N Lanczos'
# method decides.
CHOLESKY_CELLS_MAX = 1024
_LANCZOS_STEPS_MAX = 512
# The number of start vectors of the estimate of tr A⁻¹. The first vector also finds the extreme eigenvalues.
_PROBES = 4
_PROBE_STEPS_MAX = 40
# If A − 0.98 λ₋ I has a Cholesky factorisation, 0.98 λ₋ is below every eigenvalue. The factor 0.98 leaves
# room for rounding.
_PROVED_SHARE = 0.98
_EPSILON = 2.0**-52


@dataclass(frozen=True)
class Spectrum:
    """λ₋ ≤ λ_min and λ₊ ≥ λ_max, each within a few percent; tr A; an estimate of tr A⁻¹ within a factor of
    two."""

    dimension: int
    eigenvalue_min: float
    eigenvalue_max: float
    trace: float
    inverse_trace: float

    @property
    def condition(self) -> float:
        """An upper bound of λ_max/λ_min, within some percent."""
        return self.eigenvalue_max / self.eigenvalue_min


def spectrum_of(system: System) -> Spectrum:
    """Bounds the spectrum of a finite, symmetric system. Errors: NOT_POSITIVE_DEFINITE for a system without
    equilibrium."""
    _refuse_singular_factor(system)
    if system.kind == "dense":
        _refuse_indefinite(system)
    dimension = dimension_of(system)
    extremes = _proved_extremes(system)
    eigenvalue_min = _smallest_eigenvalue(system, extremes)
    moment = extremes.inverse_moment
    for index in range(1, _PROBES):
        moment += _probe(system, index, min(dimension, _PROBE_STEPS_MAX)).inverse_moment
    return Spectrum(
        dimension=dimension,
        eigenvalue_min=eigenvalue_min,
        eigenvalue_max=extremes.max + extremes.max_residual,
        trace=trace_of(system),
        inverse_trace=min(dimension * moment / _PROBES, dimension / eigenvalue_min),
    )


def _proved_extremes(system: System) -> ExtremeEigenvalues:
    """Lanczos' method may stop at the second smallest eigenvalue of a steep spectrum. If a factorisation
    shows this, all N steps are made."""
    dimension = dimension_of(system)
    steps_max = dimension if dimension <= CHOLESKY_CELLS_MAX else _LANCZOS_STEPS_MAX
    extremes = _probe(system, 0, steps_max)
    if system.kind == "factored" or dimension > CHOLESKY_CELLS_MAX:
        return extremes
    shift = _PROVED_SHARE * (extremes.min - extremes.min_residual)
    if shift <= 0 or is_definite(without_damping(system.array, shift)):
        return extremes
    every = _probe(system, 0, steps_max, 0.0)
    if is_definite(without_damping(system.array, _PROVED_SHARE * (every.min - every.min_residual))):
        return every
    # The smallest eigenvalue is zero within rounding.
    return replace(every, min=min(every.min, 0.0), min_residual=0.0)


def _probe(system: System, index: int, steps_max: int, relative_residual: float = 0.02) -> ExtremeEigenvalues:
    start = normal_vector("spectrumProbe", index, dimension_of(system))
    return lanczos_extremes(lambda x: apply_system(system, x), start, steps_max, relative_residual)


def _refuse_singular_factor(system: System) -> None:
    rows, columns = system.array.shape
    if system.kind == "dense" or system.damping > 0 or rows >= columns:
        return
    raise ThermolinkError(
        "NOT_POSITIVE_DEFINITE",
        f"KᵀK of a {rows}×{columns} factor is singular, and the damping is 0.",
        "Choose a damping λ > 0.",
        data={"rows": rows, "columns": columns},
    )


def _refuse_indefinite(system: System) -> None:
    for index, entry in enumerate(diagonal_of(system).tolist()):
        if entry <= 0:
            raise _not_definite(f"its diagonal entry {index} is {entry}", {"index": index})
    dimension = dimension_of(system)
    if dimension > CHOLESKY_CELLS_MAX or is_definite(system.array):
        return
    extremes = _probe(system, 0, dimension)
    if extremes.min < -_rounding_of(system, extremes):
        raise _has_negative(extremes)
    raise _is_singular(system, extremes)


def _smallest_eigenvalue(system: System, extremes: ExtremeEigenvalues) -> float:
    rows, columns = system.array.shape
    # If K has a null space, the damping λ is exactly the smallest eigenvalue. Otherwise λ is a lower bound of
    # it.
    if system.kind == "factored" and rows < columns:
        return system.damping
    eigenvalue_min = max(extremes.min - extremes.min_residual, system.damping)
    rounding = _rounding_of(system, extremes)
    if eigenvalue_min > rounding:
        return eigenvalue_min
    if extremes.min < -rounding:
        raise _has_negative(extremes)
    if extremes.min <= rounding:
        raise _is_singular(system, extremes)
    raise _not_definite(
        f"its smallest eigenvalue is known only as {short(extremes.min, 2)} ± {short(extremes.min_residual, 2)} after "
        f"{extremes.steps} steps of Lanczos' method",
        {"eigenvalue_min": extremes.min},
        "could not be shown to be",
    )


def _rounding_of(system: System, extremes: ExtremeEigenvalues) -> float:
    """The error of eigenvalues from the rounding of one product with A. A smaller eigenvalue may be zero."""
    return dimension_of(system) * _EPSILON * abs(extremes.max)


def _has_negative(extremes: ExtremeEigenvalues) -> ThermolinkError:
    return _not_definite(
        f"it has an eigenvalue of {short(extremes.min, 2)} or below", {"eigenvalue_min": extremes.min}
    )


def _is_singular(system: System, extremes: ExtremeEigenvalues) -> ThermolinkError:
    if extremes.max == 0:
        return _not_definite("every entry is zero", {})
    rounding = _rounding_of(system, extremes)
    condition = extremes.max / rounding if rounding > 0 else math.inf
    return ThermolinkError(
        "NOT_POSITIVE_DEFINITE",
        f"The matrix is singular within the rounding of float64: its smallest eigenvalue is 0 ± {short(rounding, 2)}, "
        f"and its largest one is {short(extremes.max, 2)} (condition number {short(condition, 2)} or more).",
        "Remove unknowns that the equations do not determine, precondition, or add damping: A + λI with λ well above "
        f"{short(rounding, 2)}.",
        data={"eigenvalue_min": extremes.min, "eigenvalue_max": extremes.max},
    )


def _not_definite(reason: str, data: dict, verdict: str = "is not") -> ThermolinkError:
    return ThermolinkError(
        "NOT_POSITIVE_DEFINITE",
        f"The matrix {verdict} positive definite: {reason}.",
        "A relaxation has an equilibrium only when every eigenvalue is above zero; a larger damping (A + λI) gives one.",
        data=data,
    )
