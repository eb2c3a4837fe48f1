#!/usr/bin/env python3
"""Residuals and derivatives of small physics-informed networks, for residual-problem.test.ts.

An independent program: derivatives in x by truncated Taylor series, derivatives in the parameters by the
complex step Im r(theta + i h e_p) / h with h = 1e-30. Run: python3 golden.py > golden.json (needs numpy).
"""
import json
import numpy as np

STEP = 1e-30


def parameters(count):
    return 0.8 * np.sin(1.3 * np.arange(count) + 0.4)


def network(theta, sizes, x, direction):
    """Taylor coefficients (u, u', u'') along `direction`; None gives zero derivatives."""
    a0 = np.array(x, dtype=complex)
    a1 = np.zeros(len(x), dtype=complex)
    if direction is not None:
        a1[direction] = 1
    a2 = np.zeros(len(x), dtype=complex)
    layers = list(zip(sizes[:-1], sizes[1:]))
    at = 0
    for index, (inputs, outputs) in enumerate(layers):
        w = theta[at:at + inputs * outputs].reshape(outputs, inputs)
        b = theta[at + inputs * outputs:at + inputs * outputs + outputs]
        at += inputs * outputs + outputs
        z0, z1, z2 = w @ a0 + b, w @ a1, w @ a2
        if index == len(layers) - 1:
            return z0[0], z1[0], z2[0]
        t = np.tanh(z0)
        # y' = (1 - y^2) z', y'' = (1 - y^2) z'' - 2 y y' z'.
        y1 = (1 - t * t) * z1
        a0, a1, a2 = t, y1, (1 - t * t) * z2 - 2 * t * y1 * z1


def centres(n):
    return [((i + .5) / n, (j + .5) / n) for i in range(n) for j in range(n)]


def sides(n, which):
    out = []
    for dimension, value in which:
        for i in range(n):
            point = [(i + .5) / n, (i + .5) / n]
            point[dimension] = float(value)
            out.append(tuple(point))
    return out


def stretch(points):
    return [(t, 2 * x - 1) for t, x in points]


def poisson(theta, sizes, point):
    laplacian = sum(network(theta, sizes, point, k)[2] for k in (0, 1))
    return laplacian + 2 * np.pi ** 2 * np.sin(np.pi * point[0]) * np.sin(np.pi * point[1])


def heat(theta, sizes, point):
    return network(theta, sizes, point, 0)[1] - .25 * network(theta, sizes, point, 1)[2]


def burgers(theta, sizes, point):
    u, ux, uxx = network(theta, sizes, point, 1)
    return network(theta, sizes, point, 0)[1] + u * ux - .1 * uxx


def burgers_solution(point, nu=.1):
    """Cole and Hopf's integral by the trapezoidal rule, which converges geometrically here."""
    t, x = point
    if t == 0:
        return -np.sin(np.pi * x)
    # With a small nu the largest part of the integral lies at large s, and is far below 1.
    s = np.linspace(-40, 40, 40001)
    y = x - s * np.sqrt(4 * nu * t)
    exponent = -s * s - (np.cos(np.pi * y) + 1) / (2 * np.pi * nu)
    weight = np.exp(exponent - exponent.max())
    return -(weight * np.sin(np.pi * y)).sum() / weight.sum()


def case(residual, sizes, interior, boundary, values, boundary_weight):
    count = sum(i * o + o for i, o in zip(sizes[:-1], sizes[1:]))
    theta = parameters(count)

    def rows(th):
        inner = [residual(th, sizes, p) / np.sqrt(len(interior)) for p in interior]
        outer = [(network(th, sizes, p, None)[0] - v) * np.sqrt(boundary_weight / len(boundary))
                 for p, v in zip(boundary, values)]
        return np.array(inner + outer)

    r = rows(theta.astype(complex)).real
    jacobian = np.empty((len(r), count))
    for p in range(count):
        moved = theta.astype(complex)
        moved[p] += 1j * STEP
        jacobian[:, p] = rows(moved).imag / STEP
    return {
        'sizes': sizes,
        'residuals': r.tolist(),
        'gradient': (jacobian.T @ r).tolist(),
        'jacobianTimesCosine': (jacobian @ np.cos(np.arange(count))).tolist(),
        'frobenius': float(np.sqrt((jacobian ** 2).sum())),
    }


square = sides(3, ((0, 0), (0, 1), (1, 0), (1, 1)))
evolution = sides(3, ((0, 0), (1, 0), (1, 1)))
exact_heat = [np.exp(-np.pi ** 2 * .25 * t) * np.sin(np.pi * x) for t, x in evolution]
wave = stretch(sides(2, ((0, 0), (1, 0), (1, 1))))
print(json.dumps({
    'poisson-2d': case(poisson, [2, 4, 1], centres(3), square, [0.] * len(square), 4),
    'heat': case(heat, [2, 3, 4, 1], centres(3), evolution, exact_heat, 3),
    'burgers': case(burgers, [2, 4, 3, 1], stretch(centres(3)), wave, [burgers_solution(p) for p in wave], 3),
    'burgersSolution': [[nu, t, x, burgers_solution((t, x), nu)] for nu in (.1, .1 / np.pi, .002)
                        for t in (0., .1, .5, 1.) for x in (-.9, -.2, .05, .6)],
}, indent=1))
