"""A system that was checked and measured once, before any byte is sent."""

import math
from typing import Optional, Tuple, Union

import numpy as np

from ..device.identity import Identity
from ..errors import ThermolinkError, bad_argument
from ..linalg.spectrum import Spectrum, spectrum_of
from ..linalg.systems import DenseSystem, FactoredSystem, System, damped_system, dimension_of
from ..texts import counted, short
from .diagonal_scaling import diagonal_weights, weighted_system
from .measure import SystemMeasure, measure_system

# |A_ij − A_ji| may be this fraction of max |A|. The rounding errors of a symmetric product are about as
# large.
_SYMMETRY_TOLERANCE = 1e-12
# If the two halves of A differ by at most this fraction of max |A|, the user probably meant them to be equal.
_SLIGHT_ASYMMETRY = 1e-3
# Products and squares of numbers within these bounds stay finite at every scale that a board needs.
_MAGNITUDE_MIN, _MAGNITUDE_MAX = 1e-50, 1e50


class CheckedSystem:
    """A finite, symmetric system. `dense_system` and `factored_system` make it. Its entries must not
    change."""

    def __init__(self, system: System, measure: SystemMeasure) -> None:
        self.system = system
        self.measure = measure
        self.dimension = dimension_of(system)
        self._spectrum: Optional[Spectrum] = None
        self._evened: Optional[Tuple["CheckedSystem", np.ndarray]] = None

    @property
    def spectrum(self) -> Spectrum:
        """Close bounds of the eigenvalues, computed once. Errors: NOT_POSITIVE_DEFINITE."""
        if self._spectrum is None:
            self._spectrum = spectrum_of(self.system)
        return self._spectrum

    @property
    def evened(self) -> Tuple["CheckedSystem", np.ndarray]:
        """W A W with W = diag(w), and the weights w, chosen so that the diagonal entries of W A W are close
        together. y of (W A W) y = W b gives x = W y. Errors: BAD_MATRIX if the halves of A differ by more
        than rounding, relative to the diagonal entries of their row and column."""
        if self._evened is None:
            self._evened = self._even()
        return self._evened

    def _even(self) -> Tuple["CheckedSystem", np.ndarray]:
        weights = diagonal_weights(self.system)
        if np.all(weights == 1):
            return self, weights
        system = weighted_system(self.system, weights)
        measure = measure_system(system)
        if system.kind == "dense":
            _check_symmetry(self.system.array, measure.largest_entry, weights)
        return CheckedSystem(system, measure), weights

    def damped(self, damping: float) -> "CheckedSystem":
        """A + λI for λ > 0 in units of A."""
        system = damped_system(self.system, damping)
        return CheckedSystem(system, measure_system(system))


def dense_system(a: object) -> CheckedSystem:
    """A checked system of the matrix `a`, which has any form that numpy takes. Errors: BAD_ARGUMENT,
    BAD_MATRIX."""
    matrix = _matrix_of("A", a)
    rows, columns = matrix.shape
    if rows != columns:
        raise ThermolinkError(
            "BAD_MATRIX",
            f"The matrix is {rows}×{columns}, not square.",
            "A linear system needs as many equations as unknowns.",
            data={"rows": rows, "columns": columns},
        )
    _check_entries(matrix, "The matrix")
    system = DenseSystem(matrix)
    measure = measure_system(system)
    _check_symmetry(matrix, measure.largest_entry)
    _check_magnitude(measure.eigenvalue_bound, "largest eigenvalue")
    return CheckedSystem(system, measure)


def factored_system(factor: object, damping: object) -> CheckedSystem:
    """KᵀK + λI of K = `factor`, m×N, and λ = `damping`. Errors: BAD_ARGUMENT, BAD_MATRIX,
    NOT_POSITIVE_DEFINITE for a negative damping."""
    matrix = _matrix_of("factor", factor)
    if isinstance(damping, bool) or not isinstance(damping, (int, float, np.integer, np.floating)):
        raise bad_argument("damping", damping, "a number of at least 0")
    if not math.isfinite(damping):
        raise ThermolinkError(
            "BAD_MATRIX",
            f"The damping is {damping}, not a finite number.",
            "Damping λ is a number of at least 0.",
        )
    if damping < 0:
        raise ThermolinkError(
            "NOT_POSITIVE_DEFINITE",
            f"The damping is {damping}, below zero.",
            "Damping λ is a conductance: choose a number of at least 0.",
            data={"damping": damping},
        )
    _check_entries(matrix, "The factor")
    system = FactoredSystem(matrix, float(damping))
    measure = measure_system(system)
    _check_magnitude(measure.eigenvalue_bound, "largest eigenvalue")
    return CheckedSystem(system, measure)


def system_of(a: Union[object, CheckedSystem]) -> CheckedSystem:
    """Returns a checked system unchanged. Takes any other value as a dense A."""
    return a if isinstance(a, CheckedSystem) else dense_system(a)


def vector_of(name: str, values: object, dimension: int) -> np.ndarray:
    """A finite vector [N]. The magnitude of its largest entry is 1e-50 to 1e50, or all entries are zero. The
    error message contains `name`. Errors: BAD_ARGUMENT, BAD_MATRIX."""
    vector = _array_of(name, values)
    if vector.ndim != 1:
        raise bad_argument(f"The {name}", values, "a vector of one dimension")
    if len(vector) != dimension:
        raise ThermolinkError(
            "BAD_MATRIX",
            f"The {name} has {counted(len(vector), 'entry', 'entries')} for a system of "
            f"{counted(dimension, 'unknown')}.",
            f"Give a {name} with one entry per column of the matrix.",
            data={"length": len(vector), "dimension": dimension},
        )
    wrong = np.flatnonzero(~np.isfinite(vector))
    if len(wrong) > 0:
        raise ThermolinkError(
            "BAD_MATRIX",
            f"Entry {wrong[0]} of the {name} is {vector[wrong[0]]}.",
            "Every entry must be a finite number.",
            data={"index": int(wrong[0])},
        )
    _check_magnitude(float(np.max(np.abs(vector), initial=0.0)), f"largest entry of the {name}")
    return vector


def refuse_too_large(system: System, identity: Identity) -> None:
    """Refuses a system that this board has no array for. Errors: TOO_LARGE, UNSUPPORTED."""
    is_dense = system.kind == "dense"
    if not (identity.has_dense if is_dense else identity.has_factored):
        raise ThermolinkError(
            "UNSUPPORTED",
            f"The board {identity.model} has no {system.kind} couplings.",
            f"Choose a board with {'N×N couplings' if is_dense else 'a crossbar'}.",
            data={"kind": system.kind},
        )
    rows, columns = system.array.shape
    rows_max = identity.cells if is_dense else identity.rows
    if columns <= identity.cells and rows <= rows_max:
        return
    extra = ("", "") if is_dense else (f" and a factor of {rows} rows", f" and {identity.rows} rows")
    raise ThermolinkError(
        "TOO_LARGE",
        f"The system has {columns} unknowns{extra[0]}; the board {identity.model} has {identity.cells} "
        f"cells{extra[1]}.",
        "Choose a larger board, or cut the problem into blocks that fit.",
        data={"unknowns": columns, "rows": rows, "cells": identity.cells, "board_rows": rows_max},
    )


def _array_of(name: str, values: object) -> np.ndarray:
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "iuf":
            raise ValueError("not real numbers")
        return np.array(array, dtype=np.float64, order="C")
    except (ValueError, TypeError) as error:
        raise bad_argument(name, values, "real numbers, as numpy takes them") from error


def _matrix_of(name: str, values: object) -> np.ndarray:
    matrix = _array_of(name, values)
    if matrix.ndim != 2:
        raise bad_argument(name, values, "a matrix of two dimensions")
    return matrix


def _check_entries(matrix: np.ndarray, name: str) -> None:
    rows, columns = matrix.shape
    if matrix.size == 0:
        raise ThermolinkError(
            "BAD_MATRIX", f"{name} is {rows}×{columns}: it is empty.", "Give at least one row and one column."
        )
    wrong = np.argwhere(~np.isfinite(matrix))
    if len(wrong) > 0:
        row, column = wrong[0].tolist()
        raise ThermolinkError(
            "BAD_MATRIX",
            f"{name} holds {matrix[row, column]} in row {row}, column {column}.",
            "Every entry must be a finite number; rows and columns count from 0.",
            data={"row": row, "column": column},
        )


def _check_symmetry(a: np.ndarray, largest_entry: float, weights: Optional[np.ndarray] = None) -> None:
    difference = np.abs(a - a.T)
    weighted = difference if weights is None else difference * np.outer(weights, weights)
    wrong = np.argwhere(np.tril(weighted > _SYMMETRY_TOLERANCE * largest_entry, -1))
    if len(wrong) == 0:
        return
    row, column = wrong[0].tolist()
    largest = float(np.max(difference))
    hint = (
        "If A is meant to be symmetric, look at these entries; (A + Aᵀ)/2 is symmetric, but another matrix. To solve "
        "A x = b with an A that is not symmetric, solve AᵀA x = Aᵀb, which has the square of the condition."
    )
    if not np.any(np.triu(a, 1)) or not np.any(np.tril(a, -1)):
        hint = "One half of the matrix is 0. If you gave only one half of a symmetric matrix, give the other half too."
    elif largest <= _SLIGHT_ASYMMETRY * largest_entry:
        hint = (
            f"The halves differ by at most {short(largest / largest_entry, 2)} of the largest entry: if this is "
            "rounding, give (A + Aᵀ)/2."
        )
    raise ThermolinkError(
        "BAD_MATRIX",
        f"The matrix is not symmetric: entry ({row}, {column}) is {a[row, column]}, but ({column}, {row}) is "
        f"{a[column, row]}.",
        hint,
        data={"row": row, "column": column},
    )


def _check_magnitude(largest: float, name: str) -> None:
    if largest == 0 or _MAGNITUDE_MIN <= largest <= _MAGNITUDE_MAX:
        return
    size = f"of the order {short(largest, 1)}" if math.isfinite(largest) else "beyond the range of float64"
    raise ThermolinkError(
        "BAD_MATRIX",
        f"The {name} is {size}.",
        "Choose another unit: it should lie between 1e-50 and 1e50.",
        data={"largest": largest},
    )
