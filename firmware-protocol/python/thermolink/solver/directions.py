"""A-orthogonal directions made of readings of a board."""

from dataclasses import dataclass
from typing import Callable, List, Optional

import numpy as np

from ..linalg.products import dot, norm2

# If this many steps together remove less than _STALL_GAIN of the error, the solve makes no progress.
_STALL_WINDOW = 16
_STALL_GAIN = 0.1
# If less than this part of the energy dᵀA d of a reading d is outside the earlier directions, they span d.
_ENERGY_MIN = 1e-12


@dataclass(frozen=True, eq=False)
class Step:
    """A step αp, the amount αA p that it subtracts from the residual, and the decrease of ‖e‖_A²."""

    step: np.ndarray
    image: np.ndarray
    energy: float


class ConjugateDirections:
    """For a residual r = A e and a reading d, p is d made A-orthogonal to all earlier directions. The step is
    αp with α = pᵀr/pᵀA p. The A-norm of the error never rises, for any d. Source: Hestenes, Stiefel, J. Res.
    NBS 49 (1952), section 12; Notay, SIAM J. Sci. Comput. 22 (2000)."""

    def __init__(self, product: Callable[[np.ndarray], np.ndarray]) -> None:
        self._product = product
        self._directions: List[Step] = []

    def step(self, reading: np.ndarray, residual: np.ndarray) -> Optional[Step]:
        """The step for a residual along a reading; None when the reading is 0."""
        read_image = self._product(reading)
        read_energy = dot(reading, read_image)
        if not read_energy > 0:
            return None
        direction = self._outside(reading, read_image)
        if not direction.energy > _ENERGY_MIN * read_energy:
            self._directions = []
            direction = self._outside(reading, read_image)
        self._directions.append(direction)
        return _step_along(direction, residual)

    def again(self, residual: np.ndarray) -> Step:
        """The steps along all earlier directions, for a new residual that is not the result of
        these steps. It needs no product with A."""
        step, image, energy = np.zeros(len(residual)), np.zeros(len(residual)), 0.0
        for direction in self._directions:
            along = _step_along(direction, residual - image)
            step += along.step
            image += along.image
            energy += along.energy
        return Step(step, image, energy)

    def _outside(self, reading: np.ndarray, read_image: np.ndarray) -> Step:
        """The part of a vector, and of its image, that is A-orthogonal to the directions. The second sweep
        removes rounding errors."""
        vector, image = reading.copy(), read_image.copy()
        for _ in range(2):
            for other in self._directions:
                share = dot(vector, other.image) / other.energy
                vector += -share * other.step
                image += -share * other.image
        return Step(vector, image, dot(vector, image))


def _step_along(direction: Step, residual: np.ndarray) -> Step:
    length = dot(direction.step, residual) / direction.energy
    return Step(length * direction.step, length * direction.image, length * length * direction.energy)


def is_stalled(energies: List[float], residual: np.ndarray, eigenvalue_max: float) -> bool:
    """Whether the last steps made no progress. It uses ‖e‖_A² ≥ ‖r‖₂²/λ₊."""
    if len(energies) < _STALL_WINDOW:
        return False
    gained = 0.0
    for energy in energies[-_STALL_WINDOW:]:
        gained += energy
    norm = norm2(residual)
    return gained < _STALL_GAIN * (norm * norm) / eigenvalue_max
