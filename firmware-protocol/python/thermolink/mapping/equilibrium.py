"""Plans how one system settles on one board: scale, codes and times, for any number of drives."""

import math
from dataclasses import dataclass
from typing import Dict, Optional, Tuple, Union

import numpy as np

from ..device.identity import Identity
from ..errors import ThermolinkError
from ..linalg.spectrum import CHOLESKY_CELLS_MAX, Spectrum
from ..linalg.systems import System, is_definite
from ..texts import short
from .checked_system import CheckedSystem
from .noise_register import (
    CARRY_VARIANCE,
    carry_noise_variance,
    noise_temperature_of,
    noise_temperature_range,
)
from .quantize import SystemCodes, programmed_system, quantize_system
from .scaling import Scaling, attenuation_of, equilibrium_system_scale

# The share of a deviation that remains in the slowest mode after settling.
SETTLE_REMAINDER = 2.0**-10
# Time constants of the slowest mode between two samples, and the least number of samples for a standard
# error.
_SAMPLE_SPACING = 1.5
_SAMPLES_MIN = 48
# The number of standard deviations of the noise that must fit below the rail.
_NOISE_HEADROOM = 6
# Couplings are made finer only while carried rounding is at most this share of the noise of the stiffest
# mode. The noise is then taken as _NOISE_MARGIN times the least noise temperature of the board.
_CARRY_SHARE = 0.01
_NOISE_MARGIN = 10


@dataclass(frozen=True, eq=False)
class EquilibriumPlan:
    """A system, its spectrum and codes on a board. `programmed` is A_q, the system that the codes stand for.
    The slowest mode settles in `settle_ticks`. Samples are `ticks_per_sample` apart; S of them are worth at
    least S/`correlation_time_max` independent ones. κ of `noise_temperature_min` and `_max` is in V_fs²."""

    system: System
    spectrum: Spectrum
    identity: Identity
    codes: SystemCodes
    programmed: System
    system_scale: float
    settle_ticks: int
    ticks_per_sample: int
    samples_min: int
    correlation_time_max: float
    noise_temperature_min: float
    noise_temperature_max: float

    @property
    def rail(self) -> float:
        """The rail of a cell in V_fs."""
        return self.identity.rail_volts

    def scaling(self, solution_scale: float) -> Scaling:
        """The scaling of a run with the given s_x."""
        return Scaling(
            self.system_scale, solution_scale, self.codes.coupling_bits, self.codes.row_attenuation
        )


def plan_equilibrium(checked: CheckedSystem, identity: Identity) -> EquilibriumPlan:
    """Chooses scale, codes and times. Errors: NOT_POSITIVE_DEFINITE; TOLERANCE_NOT_MET if the system of the
    rounded codes is not positive definite, because the condition of A is too large."""
    system, measure, spectrum = checked.system, checked.measure, checked.spectrum
    damping, split_largest = _split_diagonal(system, measure.largest_entry)

    def scale_of(largest: float) -> float:
        return equilibrium_system_scale(
            system, largest, spectrum.eigenvalue_min, spectrum.eigenvalue_max, identity
        )

    system_scale = max(
        scale_of(split_largest),
        min(scale_of(measure.largest_entry), _quiet_system_scale(spectrum.eigenvalue_max, identity)),
    )
    scaling = Scaling(
        system_scale, 1.0, identity.coupling_bits, attenuation_of(checked, system_scale, identity)
    )
    codes = quantize_system(system, scaling, damping)
    programmed = programmed_system(codes, system_scale)
    _refuse_indefinite_codes(programmed, spectrum, identity)
    decay_per_tick = identity.tick * spectrum.eigenvalue_min / system_scale
    decay = math.exp(-_SAMPLE_SPACING)
    return EquilibriumPlan(
        system=system,
        spectrum=spectrum,
        identity=identity,
        codes=codes,
        programmed=programmed,
        system_scale=system_scale,
        settle_ticks=_burn_in_ticks(SETTLE_REMAINDER, decay_per_tick),
        ticks_per_sample=max(1, math.ceil(_SAMPLE_SPACING / decay_per_tick)),
        samples_min=_SAMPLES_MIN,
        correlation_time_max=(1 + decay) / (1 - decay),
        noise_temperature_min=identity.noise_temperature_min * 1e-12,
        noise_temperature_max=noise_temperature_range(identity)[1],
    )


def _burn_in_ticks(remainder: float, decay_per_tick: float) -> int:
    """⌈ln ε / ln(1 − hλ̂)⌉: the ticks after which ε of a mode's deviation remains."""
    if decay_per_tick >= 1:
        return 1
    return max(1, math.ceil(math.log(remainder) / math.log1p(-decay_per_tick)))


def _split_diagonal(system: System, largest_entry: float) -> Tuple[float, float]:
    """Two numbers of a dense A: the λ that moves to the damping register, which is the middle of the
    diagonal, and the largest entry that stays in the crosspoints."""
    if system.kind == "factored":
        return 0.0, largest_entry
    diagonal = np.diagonal(system.array)
    low, high = float(np.min(diagonal)), float(np.max(diagonal))
    beside = np.abs(system.array)
    np.fill_diagonal(beside, 0.0)
    damping = low + (high - low) / 2
    return damping, max(float(np.max(beside)), high - damping, damping - low)


def _quiet_system_scale(eigenvalue_max: float, identity: Identity) -> float:
    """Smallest s_A at which carried rounding is small even if there is little noise: (hλ̂)²·λ̂·s₀ ≤ 1 % of 10
    κ_min, with λ̂ = `eigenvalue_max`/s_A."""
    least = identity.noise_temperature_min * 1e-12
    tick = identity.tick
    ratio = _CARRY_SHARE * _NOISE_MARGIN * least / (tick * tick * CARRY_VARIANCE)
    return eigenvalue_max / float(np.cbrt(ratio)) if ratio > 0 else math.inf


def _refuse_indefinite_codes(programmed: System, spectrum: Spectrum, identity: Identity) -> None:
    rows, columns = programmed.array.shape
    if programmed.kind == "dense":
        symmetric = (programmed.array + programmed.array.T) / 2
        is_probably_definite = rows > CHOLESKY_CELLS_MAX or is_definite(symmetric)
    else:
        is_probably_definite = programmed.damping > 0 or rows >= columns
    if is_probably_definite:
        return
    raise ThermolinkError(
        "TOLERANCE_NOT_MET",
        f"With {identity.coupling_bits}-bit couplings a system of condition {short(spectrum.condition, 1)} is "
        "not positive definite any more.",
        "A larger tolerance does not help: precondition it, add damping (A + λI), or choose a board with finer "
        "couplings.",
        data={"condition": spectrum.condition, "coupling_bits": identity.coupling_bits},
    )


def board_noise(plan: EquilibriumPlan, solution_scale: float, noise_temperature: float) -> float:
    """κ in V_fs² for a κ in the problem's units: κ/(s_x²·s_A)."""
    return noise_temperature / (solution_scale * solution_scale) / plan.system_scale


def noise_limited_scale(plan: EquilibriumPlan, noise_temperature: float) -> float:
    """Smallest s_x at which the rails and the register of the board allow noise κ, in the problem's units."""
    return max(
        _NOISE_HEADROOM / plan.rail * math.sqrt(noise_temperature / plan.spectrum.eigenvalue_min),
        math.sqrt(noise_temperature / (plan.noise_temperature_max * plan.system_scale)),
    )


def carry_noise_share(plan: EquilibriumPlan, noise_temperature: float) -> float:
    """The variance that carried rounding adds to the stiffest mode, divided by the mode's exact variance.
    `noise_temperature` is in V_fs²."""
    eigenvalue_max = plan.spectrum.eigenvalue_max / plan.system_scale
    row: Optional[Tuple[int, float]] = None
    if plan.system.kind == "factored":
        row = (plan.codes.row_attenuation, plan.system.damping / plan.system_scale)
    variance = carry_noise_variance(eigenvalue_max, plan.identity.tick, row)
    return variance * eigenvalue_max / noise_temperature if noise_temperature > 0 else math.inf


def effective_noise(report: Dict[str, Union[int, float]], shift: int, tick: float) -> float:
    """κ in V_fs² of a committed program, from the middle of the noise codes of its cells on this board."""
    amplitude = (report["noiseCodeMin"] + report["noiseCodeMax"]) / 2
    return noise_temperature_of(amplitude, shift, tick)
