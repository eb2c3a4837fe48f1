"""The answer of a solve."""

from dataclasses import dataclass

import numpy as np

from .session import Cost


@dataclass(frozen=True, eq=False)
class SolveResult:
    """x̂ of A x = b, length N, with ‖x̂ − x‖₂ ≤ tolerance·‖x‖₂, and its errors.

    `standard_error` [N] covers the noise of the last pass, and the changes between runs of an imperfect
    board. `quantization_error` bounds the size of all other errors, divided by ‖x‖₂. It is at most a quarter
    of ‖standard_error‖₂/‖x‖₂. `carry_noise_share` is the largest share that carried rounding has in the noise
    of a mode. `relative_residual` is ‖b − A x̂‖₂/‖b‖₂ in float64. `passes` counts board solves, `samples` the
    readings in the answer."""

    x: np.ndarray
    standard_error: np.ndarray
    quantization_error: float
    carry_noise_share: float
    relative_residual: float
    passes: int
    samples: int
    cost: Cost


def zero_solution(dimension: int) -> SolveResult:
    """The answer to b = 0. It needs no board."""
    return SolveResult(np.zeros(dimension), np.zeros(dimension), 0.0, 0.0, 0.0, 0, 0, Cost())
