"""Writes npy-fixtures.ts: files made by NumPy itself, so that our reader is not tested against our own idea
of them.

Run once with NumPy 2.4: python3 npy-fixtures.py > npy-fixtures.ts && npx biome check --write npy-fixtures.ts
"""
import base64
import io
import json

import numpy as np


def encode(array, version=(1, 0)):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=version)
    return base64.b64encode(file.getvalue()).decode()


def extremes(dtype):
    kind, size = dtype[-2], int(dtype[-1])
    high = 2 ** (8 * size - (kind == 'i')) - 1 if size < 8 else 2**53 - 1
    low = 0 if kind == 'u' else (-high - 1 if size < 8 else -high)
    return np.array([[low, high], [1, 2]], dtype=dtype)


A = np.array([[1, -2, 3], [4.5, 1e-300, -0.0]])
F = np.array([[0.5, -1.25, 7], [3, 1024.0625, 9]], dtype='<f4')
good = [
    ('<f8', A),
    ('<f8, Fortran order', np.asfortranarray(A)),
    ('>f8', A.astype('>f8')),
    ('<f4', F),
    ('>f4, Fortran order', np.asfortranarray(F.astype('>f4'))),
    ('one dimension', np.array([0.1, 0.2, 0.3])),
]
good += [(t, extremes(t)) for t in '|i1 <i2 >i2 <i4 >i4 <i8 >i8 |u1 <u2 >u2 <u4 >u4 <u8 >u8'.split()]
files = [(name, array.tolist(), encode(array)) for name, array in good]
for version in (2, 3):
    files.append((f'format version {version}', A.tolist(), encode(A, (version, 0))))

bad = [
    ('bool', 'BAD_FILE', np.array([[True]])),
    ('complex numbers', 'BAD_FILE', np.array([[1 + 2j]])),
    ('float16', 'BAD_FILE', np.array([[1.5]], dtype='f2')),
    ('text', 'BAD_FILE', np.array([['ab']])),
    ('records', 'BAD_FILE', np.array([(1.0, 2)], dtype=[('a', 'f8'), ('b', 'i4')])),
    ('Python objects', 'BAD_FILE', np.array([{}, 1], dtype=object)),
    ('2^53 in int64', 'BAD_MATRIX', np.array([[2**53]])),
    ('-2^63 in int64', 'BAD_MATRIX', np.array([[-(2**63)]])),
    ('2^64 - 1 in uint64', 'BAD_MATRIX', np.array([[2**64 - 1]], dtype='u8')),
    ('NaN', 'BAD_MATRIX', np.array([[1, np.nan]])),
    ('an infinite number', 'BAD_MATRIX', np.array([[1, -np.inf]], dtype='f4')),
    ('three dimensions', 'BAD_MATRIX', np.zeros((1, 2, 2))),
    ('no dimension', 'BAD_MATRIX', np.array(5.0)),
    ('no entry', 'BAD_MATRIX', np.zeros((0, 3))),
]
print('// Written by npy-fixtures.py.')
print('/** Name, values, and the file that NumPy wrote, in base64. */')
print('export const NPY_FILES: readonly (readonly [string, readonly (number | readonly number[])[], string])[] =')
print(json.dumps(files).replace('-0.0', '-0').replace('.0,', ',').replace('.0]', ']') + ';')
print('/** What it holds, the code of the error, and the file, in base64. */')
print("export const BAD_NPY_FILES: readonly (readonly [string, 'BAD_FILE' | 'BAD_MATRIX', string])[] =")
print(json.dumps([(name, code, encode(array)) for name, code, array in bad]) + ';')
