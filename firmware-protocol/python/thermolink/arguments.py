"""Checks of the arguments that a program passes. All of them raise BAD_ARGUMENT."""

import math
import numbers
from typing import Optional

from .errors import bad_argument


def check_whole(name: str, value: object, least: int, most: Optional[int] = None) -> int:
    """A whole number from `least` to `most`. It may be a number of numpy."""
    is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if is_whole and value >= least and (most is None or value <= most):
        return int(value)
    raise bad_argument(
        name, value, f"a whole number {f'of at least {least}' if most is None else f'from {least} to {most}'}"
    )


def check_number(name: str, value: object, least: float) -> float:
    """A finite number of at least `least`."""
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if is_number and math.isfinite(value) and value >= least:
        return float(value)
    raise bad_argument(name, value, f"a finite number of at least {least:g}")


def check_timeout(name: str, value: object) -> Optional[float]:
    """A number of seconds above 0, or None. Infinity also gives None."""
    if value is None:
        return None
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if is_number and value > 0:
        return None if math.isinf(value) else float(value)
    raise bad_argument(name, value, "a positive number of seconds, or None for no deadline")
