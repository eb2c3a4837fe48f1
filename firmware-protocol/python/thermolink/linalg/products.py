"""Products and norms of float64 vectors. The order of numpy's own sums depends on length and machine. These
sums have the order of src/linalg/products.ts, so a solve has the same bits in both languages."""

import math

import numpy as np


def ordered_sum(values: np.ndarray) -> float:
    """Σ values, from the first to the last."""
    return float(np.add.accumulate(values)[-1]) if len(values) > 0 else 0.0


def mat_vec(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """A x [m] for A m×n and x [n]. Each inner product is added up in four sums side by side."""
    products = a * x
    whole = products.shape[1] // 4 * 4
    sums = np.zeros((len(products), 4))
    for start in range(0, whole, 4):
        sums += products[:, start : start + 4]
    for at in range(whole, products.shape[1]):
        sums[:, 0] += products[:, at]
    return sums[:, 0] + sums[:, 1] + (sums[:, 2] + sums[:, 3])


def mat_vec_transposed(a: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Aᵀ y [n] for A m×n and y [m], row after row."""
    out = np.zeros(a.shape[1])
    for row, factor in zip(a, y.tolist()):
        out += factor * row
    return out


def dot(x: np.ndarray, y: np.ndarray) -> float:
    """xᵀy of vectors of one length, in four sums side by side."""
    products = x * y
    whole = len(products) // 4 * 4
    if whole == 0:
        sums = [0.0, 0.0, 0.0, 0.0]
    else:
        sums = np.add.accumulate(products[:whole].reshape(-1, 4), axis=0)[-1].tolist()
    for value in products[whole:].tolist():
        sums[0] += value
    return sums[0] + sums[1] + (sums[2] + sums[3])


def norm2(x: np.ndarray) -> float:
    """‖x‖₂, scaled by the largest entry. Then entries of 1e-200 do not underflow and entries of 1e200 do not
    overflow."""
    largest = norm_inf(x)
    if largest == 0 or not math.isfinite(largest):
        return largest
    scaled = x / largest
    return largest * math.sqrt(ordered_sum(scaled * scaled))


def norm_inf(x: np.ndarray) -> float:
    """max |x_i|. It is NaN if an entry is NaN, and 0 for a vector without entries."""
    return float(np.max(np.abs(x))) if len(x) > 0 else 0.0
