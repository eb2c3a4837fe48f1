"""Philox4x32-10 computes four words from four counter words and two key words. It has no state. Source:
Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, doi
10.1145/2063384.2063405."""

import math
from typing import List, Tuple

import numpy as np

from ..wire.tables import PHILOX_STREAM

_MASK = 0xFFFFFFFF


def philox4x32(counter: Tuple[int, int, int, int], key: Tuple[int, int]) -> List[int]:
    """The four words, u32, of a counter and a key of u32 words."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        product0, product1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (
            (product1 >> 32) ^ c1 ^ k0,
            product1 & _MASK,
            (product0 >> 32) ^ c3 ^ k1,
            product0 & _MASK,
        )
        k0, k1 = (k0 + 0x9E3779B9) & _MASK, (k1 + 0xBB67AE85) & _MASK
    return [c0, c1, c2, c3]


def run_seed_of(seed: int, step: int, block: int, attempt: int) -> int:
    """The run seed, u32, of one board run: Philox of (seed; step, block, attempt). It selects the noise of
    the board run."""
    return philox4x32((step, block, attempt, PHILOX_STREAM["runSeed"]), (seed, 0))[0]


def normal_vector(stream: str, block: int, length: int) -> np.ndarray:
    """Standard normal numbers [length] of seed 0, by Box–Muller. Two machines may differ in the last bits of
    log and cos."""
    words: List[int] = []
    numbers: List[float] = []
    while len(numbers) < length:
        if not words:
            words = philox4x32((len(numbers) // 4, 0, block, PHILOX_STREAM[stream]), (0, 0))
        radius = math.sqrt(-2.0 * math.log((words[0] + 0.5) / 2.0**32))
        angle = 2.0 * math.pi * ((words[1] + 0.5) / 2.0**32)
        numbers += [radius * math.cos(angle), radius * math.sin(angle)]
        words = words[2:]
    return np.array(numbers[:length])
