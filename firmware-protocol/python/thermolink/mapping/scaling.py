"""How a problem is mapped to the range of a board: A = s_A·Â, x = s_x·v, b = s_A·s_x·ê, with v in V_fs and Â,
ê/V_fs in G_fs."""

import math
from dataclasses import dataclass, replace
from typing import Optional

import numpy as np

from ..device.identity import Identity
from ..errors import ThermolinkError
from ..linalg.products import norm2, norm_inf
from ..linalg.systems import System
from ..texts import short
from ..wire.tables import ROW_ATTENUATION_MAX
from .checked_system import CheckedSystem

# One step of the initial-state register, in V_fs, and of conductances, in G_fs.
STATE_STEP = 2.0**-14
DAMPING_STEP = 2.0**-15
# Upper bound of h·λ̂_max in a run to equilibrium. At 2 the step is unstable; the difference leaves room for
# rounded couplings.
_EQUILIBRIUM_STEP_MAX = 1.9
# The least number of ticks of a relaxation in which the fastest mode decays to 1/e or less.
_PATH_TICKS = 6
# The default of the largest number of ticks of a board run.
TICKS_MAX = 2**30
_FASTER = (
    "The slowest mode is too slow compared with the stiffest one. A larger tolerance does not help: add damping "
    "(A + λI), or precondition."
)


@dataclass(frozen=True)
class Scaling:
    """s_A, s_x (a power of two), the width b of a coupling code, and ρ: row amplifiers divide by 2^ρ. A
    relaxation for a time t takes `ticks` = t·s_A/h."""

    system_scale: float
    solution_scale: float
    coupling_bits: int
    row_attenuation: int
    ticks: int = 0

    def at(self, solution_scale: float) -> "Scaling":
        """The same at another s_x."""
        return replace(self, solution_scale=solution_scale)


def finite_time_scaling(
    checked: CheckedSystem,
    time: float,
    identity: Identity,
    coupling_bits: int,
    drive: np.ndarray,
    initial: np.ndarray,
) -> Scaling:
    """The scaling of a relaxation for a time t, of n ticks:

        s_Amin = max(smallest s_A at which no coupling saturates, σ·h)
        n = max(1, ⌈t·s_Amin/h⌉, ⌈6·min(1, σt)⌉),   s_A = n·h/t;   for t = 0: n = 0, s_A = s_Amin

    σ is an upper bound of the eigenvalues. A mode λ then decays to (1 − λt/n)ⁿ, and no mode overshoots."""
    tick, measure = identity.tick, checked.measure
    scale_min = max(
        unsaturated_scale(checked.system, measure.largest_entry, coupling_bits),
        measure.eigenvalue_bound * tick,
    )
    path_ticks = math.ceil(_PATH_TICKS * min(1.0, measure.eigenvalue_bound * time))
    ticks = 0 if time == 0 else max(1, math.ceil(time * scale_min / tick), path_ticks)
    system_scale = (scale_min or 1.0) if time == 0 else ticks * tick / time
    solution_scale = _finite_time_solution_scale(
        norm_inf(drive),
        norm_inf(initial),
        measure.eigenvalue_floor,
        time,
        identity.drive_range * system_scale,
    )
    return Scaling(
        system_scale, solution_scale, coupling_bits, attenuation_of(checked, system_scale, identity), ticks
    )


def _finite_time_solution_scale(
    drive_max: float, initial_max: float, floor: float, time: float, drive_max_per_scale: float
) -> float:
    relaxed_time = time if floor == 0 else -math.expm1(-floor * time) / floor
    reached = initial_max * math.exp(-floor * time) + drive_max * relaxed_time
    needed = max(reached, initial_max, drive_max / drive_max_per_scale)
    return 1.0 if needed == 0 else power_of_two_above(needed)


def equilibrium_system_scale(
    system: System, largest_entry: float, eigenvalue_min: float, eigenvalue_max: float, identity: Identity
) -> float:
    """s_A for a run to equilibrium: the smallest at which no coupling saturates, h(λ̂_max + λ̂_min) ≤ 2, and
    h·λ̂_max ≤ 1.9."""
    step_scale = max(eigenvalue_max / _EQUILIBRIUM_STEP_MAX, (eigenvalue_min + eigenvalue_max) / 2)
    return max(unsaturated_scale(system, largest_entry, identity.coupling_bits), step_scale * identity.tick)


def equilibrium_solution_scale(
    drive: np.ndarray, eigenvalue_min: float, system_scale: float, identity: Identity
) -> float:
    """First guess of s_x: the size of the solution if the whole drive were in the slowest mode. It is at
    least the s_x that the drive range needs."""
    return power_of_two_above(
        max(
            norm2(drive) / (eigenvalue_min * math.sqrt(len(drive))),
            drive_limited_scale(drive, system_scale, identity),
        )
    )


def drive_limited_scale(drive: np.ndarray, system_scale: float, identity: Identity) -> float:
    """Smallest s_x at which the drive DAC does not saturate."""
    return norm_inf(drive) / (identity.drive_range * system_scale)


def power_of_two_above(x: float) -> float:
    """Smallest power of two that is not below x; 0 for 0."""
    if x == 0:
        return 0.0
    assert 0 < x < math.inf, f"a scale of {x}"
    power = 2.0 ** math.ceil(math.log2(x))
    # log2 is not exact next to a power of two.
    while power < x:
        power *= 2
    while power / 2 >= x:
        power /= 2
    return power


def attenuation_of(checked: CheckedSystem, system_scale: float, identity: Identity) -> int:
    """ρ at s_A: the smallest ρ at which no row reaches its limit, but no larger than allowed. It is allowed
    while m·2^ρ is at most half of `row_scale_max`. ρ is 0 for a dense system."""
    if checked.system.kind == "dense":
        return 0
    rows = len(checked.system.array)
    row_sum_max = checked.measure.row_sum_max / math.sqrt(system_scale)
    allowed = math.floor(math.log2(identity.row_scale_max / (2 * rows)))
    needed = math.ceil(math.log2(row_sum_max)) if row_sum_max > 1 else 0
    return min(ROW_ATTENUATION_MAX, max(0, min(allowed, needed)))


def unsaturated_scale(system: System, largest_entry: float, coupling_bits: int) -> float:
    """Smallest s_A at which no coupling saturates."""
    unit = 2.0 ** (coupling_bits - 1)
    scaled = largest_entry / ((unit - 1) / unit)
    return scaled if system.kind == "dense" else scaled * scaled


def refuse_too_long(ticks: float, ticks_max: Optional[float] = None, hint: str = _FASTER) -> None:
    """Refuses a board run of too many ticks: UNSUPPORTED."""
    most = TICKS_MAX if ticks_max is None else ticks_max
    if ticks > most:
        raise ThermolinkError(
            "UNSUPPORTED",
            f"One board run would take {short(ticks)} ticks; the limit is {short(most)}.",
            hint,
            data={"ticks": ticks, "ticks_max": most},
        )
