"""Writes container-fixtures.ts: compressed and other files made by NumPy and SciPy, not by our own idea of
them.

Run once with NumPy 2.4 and SciPy 1.17:
python3 container-fixtures.py > container-fixtures.ts && npx biome check --write container-fixtures.ts
"""
import base64
import gzip
import io
import json

import numpy as np
import scipy.io
import scipy.sparse

A = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, -0.5], [0.0, -0.5, 2.25]])


def written(write):
    file = io.BytesIO()
    write(file)
    return file.getvalue()


files = {
    'one array': written(lambda f: np.savez(f, A=A)),
    'two arrays': written(lambda f: np.savez(f, b=np.arange(3.0), A=A)),
    'two arrays, compressed': written(lambda f: np.savez_compressed(f, b=np.arange(3.0), A=A)),
    'sparse': written(lambda f: scipy.sparse.save_npz(f, scipy.sparse.csr_matrix(A))),
    'gzip of npy': gzip.compress(written(lambda f: np.save(f, A)), mtime=0),
    'gzip of text': gzip.compress(b'4;1;0\n1;3;-0,5\n0;-0,5;2,25\n', mtime=0),
    'gzip of gzip': gzip.compress(gzip.compress(b'1\n', mtime=0), mtime=0),
    'array general': written(lambda f: scipy.io.mmwrite(f, A, symmetry='general')),
    'array symmetric': written(lambda f: scipy.io.mmwrite(f, A, symmetry='symmetric')),
    'coordinate general': written(lambda f: scipy.io.mmwrite(f, scipy.sparse.coo_matrix(A), symmetry='general')),
    'coordinate symmetric': written(lambda f: scipy.io.mmwrite(f, scipy.sparse.coo_matrix(A), symmetry='symmetric')),
    'complex': written(lambda f: scipy.io.mmwrite(f, A + 1j)),
    'pattern': written(lambda f: scipy.io.mmwrite(f, scipy.sparse.coo_matrix(A), field='pattern')),
    'MATLAB': written(lambda f: scipy.io.savemat(f, {'A': A})),
    'records': written(lambda f: np.save(f, np.array([(1, 2), (3, 4)], dtype=[('a', '<f8'), ('b', '<f8')]))),
}
print('/** Made by container-fixtures.py; base64. */')
print('export const CONTAINERS: Readonly<Record<string, string>> = ', end='')
print(json.dumps({name: base64.b64encode(data).decode() for name, data in files.items()}), end=';\n')
