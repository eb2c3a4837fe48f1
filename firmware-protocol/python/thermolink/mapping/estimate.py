"""The mean of correlated samples, and its standard error."""

import math
from typing import Tuple

import numpy as np

from ..linalg.products import ordered_sum

# The least number of effective samples for a useful standard error.
_EFFECTIVE_SAMPLES_MIN = 6


def estimate_mean(codes: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Mean [N] and standard error [N] of S samples at equilibrium, `codes` [S × N]. Errors are infinite if
    there are too few samples.

    S samples are worth S/τ independent ones. τ = 1 + 2 Σ_k ρ_k with the autocorrelations ρ_k pooled over the
    cells. The sum ends at the first ρ_k that is not positive. The standard error is √(s_i²/(S/τ − 3)).
    Because 3 is subtracted, (mean − true)/error has the variance 1. Source: Geyer, "Practical Markov chain
    Monte Carlo", 1992."""
    samples = len(codes)
    values = codes.astype(np.float64)
    mean = np.add.accumulate(values, axis=0)[-1] / samples
    deviations = values - mean
    variance = np.add.accumulate(deviations * deviations / samples, axis=0)[-1]
    effective_samples = samples / _correlation_time(deviations)
    if effective_samples < _EFFECTIVE_SAMPLES_MIN:
        return mean, np.full(codes.shape[1], math.inf)
    return mean, np.sqrt(variance / (effective_samples - 3))


def _correlation_time(deviations: np.ndarray) -> float:
    """τ = 1 + 2 Σ ρ_k, pooled over the cells."""
    samples = len(deviations)

    def lagged_power(lag: int) -> float:
        return ordered_sum((deviations[: samples - lag] * deviations[lag:]).ravel())

    power = lagged_power(0)
    if power == 0:
        return 1.0
    time = 1.0
    lag = 1
    while lag < samples / 2:
        correlation = lagged_power(lag) / power
        if correlation <= 0:
            break
        time += 2 * correlation
        lag += 1
    return time
