"""Numbers as texts for people, in errors."""


def counted(count: int, one: str, several: str = "") -> str:
    """A count with its noun: `1 pass`, `1,234 passes`."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def short(value: float, digits: int = 3) -> str:
    """A number with `digits` significant digits."""
    return f"{value:.{digits}g}"
