"""The noise registers a and s of a board: V_fs·√(2κh) = a·2^(13−s) LSB (device-model.md, "Formats")."""

import math
from dataclasses import dataclass
from typing import Optional, Tuple

from ..device.identity import Identity
from ..wire.tables import FULL_SCALE, NOISE_AMPLITUDE_MAX, NOISE_AMPLITUDE_MIN

# The extra variance that carried rounding of the array input causes, in V_fs²: 2²⁰/12 LSB².
CARRY_VARIANCE = 2.0**20 / 12 / (FULL_SCALE * FULL_SCALE)


@dataclass(frozen=True)
class NoiseRegister:
    """a, 0 (off) or 12288…24575, and s."""

    amplitude: int
    shift: int


def noise_temperature_of(amplitude: float, shift: int, tick: float) -> float:
    """κ in V_fs² of a register; `tick` is h in τ."""
    kick = amplitude * 2.0 ** (13 - shift) / FULL_SCALE
    return kick * kick / (2 * tick)


def noise_temperature_range(identity: Identity) -> Tuple[float, float]:
    """Smallest and largest κ > 0 that a register holds, in V_fs²."""
    return (
        noise_temperature_of(NOISE_AMPLITUDE_MIN, identity.noise_shift_max, identity.tick),
        noise_temperature_of(NOISE_AMPLITUDE_MAX, identity.noise_shift_min, identity.tick),
    )


def noise_register(noise_temperature: float, identity: Identity) -> NoiseRegister:
    """The register nearest to κ in V_fs². κ = 0 switches noise off."""
    if noise_temperature == 0:
        return NoiseRegister(0, identity.noise_shift_min)
    kick = FULL_SCALE * math.sqrt(2 * noise_temperature * identity.tick)
    for shift in range(identity.noise_shift_max, identity.noise_shift_min - 1, -1):
        amplitude = math.floor(kick * 2.0 ** (shift - 13) + 0.5)
        if amplitude <= NOISE_AMPLITUDE_MAX:
            return NoiseRegister(max(amplitude, NOISE_AMPLITUDE_MIN), shift)
    return NoiseRegister(NOISE_AMPLITUDE_MAX, identity.noise_shift_min)


def carry_noise_variance(eigenvalue: float, tick: float, row: Optional[Tuple[int, float]]) -> float:
    """Variance in V_fs² that carried rounding adds to a mode with eigenvalue λ̂ (device-model.md, "One
    tick"). `row` is the attenuation and the damping of a factored program."""
    step = tick * eigenvalue
    rows = 0.0 if row is None else 4.0 ** row[0] * tick * tick * (eigenvalue - row[1])
    return CARRY_VARIANCE * (step * step + rows) / (1 - step / 2)
