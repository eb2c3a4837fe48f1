"""The error bound that a residual proves for an answer, and the error for an answer that is not good
enough."""

import math
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from ..errors import ThermolinkError
from ..linalg.products import norm2
from ..linalg.spectrum import Spectrum
from ..linalg.systems import System, apply_system
from ..mapping.checked_system import CheckedSystem
from ..texts import counted, short

_EPSILON = 2.0**-52
_IMPROVE = "improve the condition of the system: precondition it, or add damping (A + λI)"


@dataclass(frozen=True, eq=False)
class Certificate:
    """The residual W (b − A x), ‖b − A x‖₂/‖b‖₂, and the bound e/(‖x‖ − e) on the relative error with
    e = (‖residual‖₂ + its rounding)/λ₋; infinite when e ≥ ‖x‖."""

    residual: np.ndarray
    relative_residual: float
    relative_error_bound: float


def certify(evened: Tuple[CheckedSystem, np.ndarray], b: np.ndarray, y: np.ndarray) -> Certificate:
    """Checks an answer y of Â y = b̂, Â = W A W, by one product in float64. x = W y."""
    checked, weights = evened
    residual = b - apply_system(checked.system, y)
    error = norm2(residual) / checked.spectrum.eigenvalue_min
    error += _residual_rounding(checked.system, checked.spectrum) * norm2(y)
    norm = norm2(y * weights)
    return Certificate(
        residual,
        norm2(residual / weights) / norm2(b / weights),
        error / (norm - error) if error < norm else math.inf,
    )


def refuse_beyond_float64(checked: CheckedSystem, tolerance: float, share: float = 1.0) -> None:
    """Refuses a tolerance if no residual in float64 can prove an error of `share`·tolerance:
    TOLERANCE_NOT_MET."""
    spectrum = checked.spectrum
    floor = _residual_rounding(checked.system, spectrum) / share
    if tolerance > floor:
        return
    raise ThermolinkError(
        "TOLERANCE_NOT_MET",
        f"A relative error of {tolerance:g} cannot be verified: the condition of this system is "
        f"{short(spectrum.condition, 2)}, and residuals in float64 prove no error below {short(floor, 2)}.",
        f"Choose a tolerance above {short(floor, 2)}, or {_IMPROVE}." if floor < 1 else f"First {_IMPROVE}.",
        data={"tolerance": tolerance, "floor": floor, "condition": spectrum.condition},
    )


def _residual_rounding(system: System, spectrum: Spectrum) -> float:
    """Rounding error of a residual, divided by λ₋‖x‖. A sum of n terms has an error of at most (n + 2)·u."""
    rows, columns = system.array.shape
    terms = columns if system.kind == "dense" else rows + columns
    return (terms + 2) * _EPSILON * spectrum.eigenvalue_max / spectrum.eigenvalue_min


def tolerance_not_met(
    reason: str,
    tolerance: float,
    passes: int,
    relative_residual: float,
    relative_error_bound: float,
    dead: Optional[List[int]] = None,
) -> ThermolinkError:
    """The error TOLERANCE_NOT_MET. `dead` are cells that look dead."""
    larger = "A larger tolerance does not help."
    if relative_error_bound < 1:
        larger = f"A tolerance above {short(relative_error_bound, 2)} may be met."
    data: Dict[str, Any] = {
        "reason": reason,
        "tolerance": tolerance,
        "passes": passes,
        "relative_residual": relative_residual,
        "relative_error_bound": relative_error_bound,
    }
    if dead:
        data["dead_cells"] = dead
    return ThermolinkError(
        "TOLERANCE_NOT_MET",
        f"The board does not meet a relative error of {tolerance:g}: {reason}. It ended after "
        f"{counted(passes, 'pass', 'passes')} with a relative residual of {short(relative_residual, 2)}.",
        "Use another board, or a smaller problem that leaves the cell out; `thermolink characterize` measures "
        "every cell."
        if dead
        else f"{larger} Check that the board is well, choose one with finer couplings, or {_IMPROVE}.",
        data=data,
    )


def is_of_codes(error: ThermolinkError) -> bool:
    """Whether more damping may help. It may if the errors of the codes, or of the board, are too large."""
    if error.code == "OVERLOAD":
        return True
    return error.code == "TOLERANCE_NOT_MET" and "dead_cells" not in error.data
