"""Real numbers to codes of a board and back: checks, scales, rounding, times."""
