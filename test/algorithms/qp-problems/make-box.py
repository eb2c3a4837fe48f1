"""Box programs min 1/2 x'Px + q'x, -1 <= x <= 1, made by NumPy and not by the tests themselves.

Writes box-64.npy (float32, 192 x 65): P and q side by side, for the conditions 10, 100 and 1000, one below
the other. Run it in this folder: python3 make-box.py
"""

import numpy as np

CELLS = 64
random = np.random.default_rng(4)
blocks = []
for condition in (10, 100, 1000):
    basis = np.linalg.qr(random.standard_normal((CELLS, CELLS)))[0]
    hessian = (basis * np.logspace(-np.log10(condition), 0, CELLS)) @ basis.T
    linear = random.standard_normal(CELLS) * 0.3
    blocks.append(np.column_stack([(hessian + hessian.T) / 2, linear]))
np.save("box-64.npy", np.vstack(blocks).astype(np.float32))
