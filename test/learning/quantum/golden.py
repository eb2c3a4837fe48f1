"""Writes golden.json: the results of an independent NumPy program for small spin rings.

    python3 golden.py > golden.json

It shares no code with src/learning/quantum. It computes each amplitude from ln cosh of the whole spin
pattern, and the energy of a pattern as a sum over neighbours. `trained` holds the parameters of a network
for the critical Ising ring of 16 spins, after 60 steps of stochastic reconfiguration that solve exactly
(seed 5). The test of the mapping onto a board uses them.
"""

import json
import numpy as np


def split(theta, n, m):
    return theta[:n], theta[n : n + m], theta[n + m :].reshape(m, n)


def log_psi(theta, spins, n, m):
    a, b, w = split(theta, n, m)
    return spins @ a + np.log(np.cosh(spins @ w.T + b)).sum(axis=1)


def flipped(spins, sites):
    other = spins.copy()
    other[:, sites] *= -1
    return other


def local_energies(name, theta, spins, n, m, field):
    own = log_psi(theta, spins, n, m)
    bonds = (spins * np.roll(spins, -1, axis=1)).sum(axis=1)
    energy = -bonds if name == "ising" else bonds.copy()
    for i in range(n):
        sites = [i] if name == "ising" else [i, (i + 1) % n]
        ratio = np.exp(log_psi(theta, flipped(spins, sites), n, m) - own)
        if name == "ising":
            energy = energy - field * ratio
        else:
            energy = energy - 2 * ratio * (spins[:, sites[0]] != spins[:, sites[1]])
    return energy


def derivatives(theta, spins, n, m):
    _, b, w = split(theta, n, m)
    t = np.tanh(spins @ w.T + b)
    return np.concatenate([spins, t, np.einsum("ci,cj->cij", t, spins).reshape(len(spins), -1)], axis=1)


def case(name, n, m, count, field, seed):
    rng = np.random.default_rng(seed)
    theta = 0.4 * rng.standard_normal(n + m + n * m)
    if name == "ising":
        spins = rng.choice([-1.0, 1.0], (count, n))
    else:
        spins = np.array([rng.permutation([1.0, -1.0] * (n // 2)) for _ in range(count)])
    energies = local_energies(name, theta, spins, n, m, field)
    o = derivatives(theta, spins, n, m)
    k = (o - o.mean(axis=0)) / np.sqrt(count)
    gradient = 2 * k.T @ (energies - energies.mean()) / np.sqrt(count)
    return dict(
        name=name, sites=n, hidden=m, field=field, parameters=theta.tolist(), spins=spins.astype(int).ravel().tolist(),
        localEnergies=energies.tolist(), gradient=gradient.tolist(), factor=k.ravel().tolist(),
    )


def trained(steps=60, n=16, chains=1024, seed=5):
    rng = np.random.default_rng(seed)
    theta = 0.01 * rng.standard_normal(2 * n + n * n)
    spins = rng.choice([-1.0, 1.0], (chains, n))
    rows = np.arange(chains)
    for step in range(steps):
        for _ in range((20 if step == 0 else 1) * n):
            i = rng.integers(0, n, chains)
            other = spins.copy()
            other[rows, i] *= -1
            accept = rng.random(chains) < np.exp(2 * (log_psi(theta, other, n, n) - log_psi(theta, spins, n, n)))
            spins[accept] = other[accept]
        energies = local_energies("ising", theta, spins, n, n, 1.0)
        k = derivatives(theta, spins, n, n)
        k = (k - k.mean(axis=0)) / np.sqrt(chains)
        force = k.T @ (energies - energies.mean()) / np.sqrt(chains)
        x = np.linalg.solve(k.T @ k + 1e-3 * np.eye(len(theta)), force)
        update = 0.1 * x
        length = np.linalg.norm(update)
        theta = theta - update * min(1.0, 0.5 / length)
    return [round(v, 9) for v in theta.tolist()]


print(json.dumps(dict(
    cases=[case("ising", 5, 5, 12, 0.7, 1), case("heisenberg", 6, 6, 12, 0.0, 2)], trained=trained(),
)))
