"""Reasons why a solve makes no progress, as parts of a sentence."""

from dataclasses import dataclass
from typing import List, Tuple

import numpy as np

from ..linalg.products import norm2, norm_inf
from ..linalg.systems import apply_system, diagonal_of
from ..mapping.equilibrium import EquilibriumPlan
from ..texts import counted, short
from .passes import Reading
from .session import cell_list

# A cell stands still if it reads at most _STILL times the value that is missing in its row. The row of a
# healthy cell leaves at most _WELL times the largest unexplained residual, and the row of a dead cell at
# least _ASKED times that residual.
_STILL = 1 / 20
_WELL = 1 / 8
_ASKED = 1 / 50
# A residual of a row below λ_max times this many ADC steps has no meaning.
_STEPS_MAX = 4


@dataclass(frozen=True, eq=False)
class Pass:
    """The system A d = `drive` that the board was given, and its answer."""

    drive: np.ndarray
    reading: Reading


def reason_of_zeros(plan: EquilibriumPlan, one: Pass, passes: int) -> str:
    """The reason why all entries of a reading are 0. `passes` includes this pass."""
    if norm2(one.reading.rounding) <= norm2(one.drive) / 2:
        return "the board returned zeros"
    what = "the right-hand side"
    if passes > 1:
        what = f"the rest of the right-hand side after {counted(passes - 1, 'pass', 'passes')}"
    return (
        "the solution is much larger than the right-hand side: if it stays within the rails, "
        f"{what} rounds to zero in {plan.identity.drive_bits}-bit drive codes"
    )


def reason_of_stall(plan: EquilibriumPlan, one: Pass, left: float) -> str:
    """The reason why passes make no progress. `left` is the share of the previous error that remains after a
    pass."""
    x, rounding = one.reading.x, one.reading.rounding
    share = "the error does not shrink from pass to pass"
    if left < 1:
        share = f"each pass leaves {100 * left:.0f} % of the error, which is too much"
    image = apply_system(plan.system, x)
    if norm2(rounding) < norm2(one.drive - image) / 2:
        return f"{share}, and rounding to its codes does not explain that"
    by_couplings = norm2(image - apply_system(plan.programmed, x))
    if by_couplings > norm2(rounding) / 2:
        bits = plan.identity.coupling_bits
        return f"{share}, because the matrix is another one once it is rounded to {bits}-bit couplings"
    bits = plan.identity.drive_bits
    return f"{share}, because the right-hand side is lost in the steps of {bits}-bit drive codes"


def dead_cells(plan: EquilibriumPlan, one: Pass) -> List[Tuple[int, float, float]]:
    """(cell, its reading, the value that its row requires, in V_fs) of cells that look dead: only their rows
    have a residual that rounding cannot explain. This is a suspicion, but it is useful for the user."""
    x, scale = one.reading.x, one.reading.solution_scale
    unexplained = one.drive - apply_system(plan.system, x) - one.reading.rounding
    largest = norm_inf(unexplained)
    floor = max(_STEPS_MAX * plan.spectrum.eigenvalue_max * plan.identity.adc_step * scale, _ASKED * largest)
    diagonal = diagonal_of(plan.system)
    dead = []
    for cell in range(len(x)):
        missing = unexplained[cell] / diagonal[cell]
        if abs(unexplained[cell]) < floor:
            continue
        is_still = abs(x[cell]) <= _STILL * abs(missing)
        # If a cell moves and its row has a large residual, the cause is something else. Then no cell is
        # named.
        if not is_still and abs(unexplained[cell]) > _WELL * largest:
            return []
        if is_still:
            dead.append((cell, float(x[cell] / scale), float((x[cell] + missing) / scale)))
    return dead


def dead_cells_text(dead: List[Tuple[int, float, float]]) -> str:
    """The dead cells as the end of a sentence; empty if there are none."""
    if not dead:
        return ""
    names = cell_list([cell for cell, _, _ in dead], len(dead))
    if len(dead) > 1:
        return f"; {names} look dead: they stay near 0 V at every drive"
    _, volts, asked = dead[0]
    return (
        f"; {names} looks dead: it reads {short(volts, 2)} V_fs, but its equation asks for {short(asked, 2)}"
    )
