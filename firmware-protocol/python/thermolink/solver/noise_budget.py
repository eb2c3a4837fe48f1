"""Chooses the noise of an average, and bounds the residual that noise explains."""

import math

from ..linalg.products import norm2
from ..mapping.equilibrium import EquilibriumPlan
from .passes import Reading

# The noise takes this share of the tolerance in the error bound.
NOISE_SHARE = 1 / 4
# Errors of an answer other than noise must be below this share of its standard error.
SYSTEMATIC_SHARE = 1 / 4
# The probability that the residual of a correct board is called unexplained.
_FALSE_ALARM_RATE = 1e-6
# If the variance of samples is less than this part of the physical minimum, they did not come from a relaxing
# board.
_QUIETNESS = 1 / 10


def wanted_noise(plan: EquilibriumPlan, tolerance: float, averages: int, norm: float) -> float:
    """κ, in the problem's units, for the averaged pass: S (λ₋ ‖x̂‖ tolerance/4)²/(τ tr A), with S =
    `samples_min` and τ = `correlation_time_max` of the plan. With this κ the residual of the noise proves an
    error of tolerance/4. Each refused average halves √κ."""
    share = NOISE_SHARE * 2.0**-averages
    residual = plan.spectrum.eigenvalue_min * norm * tolerance * share
    return plan.samples_min * residual * residual / (plan.correlation_time_max * plan.spectrum.trace)


def noise_of_standard_error(plan: EquilibriumPlan, tolerance: float, averages: int, norm: float) -> float:
    """κ, in the problem's units, for which the standard error of an average is tolerance/4 of ‖x̂‖. The mean
    of S samples has the error variance κτ tr(A⁻¹)/S, with τ = `correlation_time_max` of the plan. Each
    refused average halves √κ."""
    error = norm * tolerance * NOISE_SHARE * 2.0**-averages
    return plan.samples_min * error * error / (plan.correlation_time_max * plan.spectrum.inverse_trace)


def noise_residual_bound(plan: EquilibriumPlan, averaged: Reading) -> float:
    """Bound on ‖A e‖₂ for the noise error e of an average: √(κτ/S)·(√tr A + √(2 λ₊ ln 10⁶)), plus
    `step_residual`. A correct board exceeds this bound with a probability below 1e-6. Source: Laurent,
    Massart, Ann. Statist. 28 (2000), lemma 1."""
    spectrum = plan.spectrum
    programmed = averaged.noise_temperature * plan.correlation_time_max / averaged.samples
    error = norm2(averaged.standard_error)
    measured = error * error / spectrum.inverse_trace
    tail = math.sqrt(2 * spectrum.eigenvalue_max * -math.log(_FALSE_ALARM_RATE))
    noise = math.sqrt(max(programmed, measured)) * (math.sqrt(spectrum.trace) + tail)
    return noise + step_residual(plan, averaged.solution_scale)


def step_residual(plan: EquilibriumPlan, solution_scale: float) -> float:
    """Bound on ‖A q‖₂ for the rounding q to ADC steps, with ‖A‖_F² ≤ λ₊ tr A."""
    step = solution_scale * plan.identity.adc_step
    return step / 2 * math.sqrt(plan.spectrum.trace * plan.spectrum.eigenvalue_max)


def quietest_standard_error(plan: EquilibriumPlan, averaged: Reading) -> float:
    """The smallest ‖standard error‖₂ that is possible with the noise on. The mean of S samples has at least
    the covariance κA⁻¹/S, and tr A⁻¹ ≥ max(1/λ_min, N²/tr A). λ₋ takes the place of λ_min."""
    spectrum = plan.spectrum
    inverse_trace_min = max(
        1 / spectrum.eigenvalue_min, spectrum.dimension * spectrum.dimension / spectrum.trace
    )
    return math.sqrt(_QUIETNESS * averaged.noise_temperature * inverse_trace_min / averaged.samples)
