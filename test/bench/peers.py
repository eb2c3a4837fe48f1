"""The board's tick as a user would write it with NumPy, PyTorch or JAX, timed on request, one thread each.

One request a line on standard input, as JSON; one answer a line on standard output:

    {"list": true}                                        -> {"peers": {"numpy": "2.4.6 float64", ...}}
    {"peer": "numpy", "cells": 64, "rows": 0, "milliseconds": 50}  -> {"microsecondsPerTick": 4.9}

rows = 0 is a dense program. The tick is the one of docs/reference/device-model.md without its rounding:
product, drive, the sum of two neighbouring Gaussians of which one is fresh, rails. Buffers are preallocated
and written in place where the library can.
"""

import json
import math
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
# Some machines set these flags for old libraries; they slow current libraries.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

# JAX ignores these settings and has threads of its own.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

RAIL = 1.25
TICK = 1 / 32
KICK = 1e-4


def draw(random, cells, rows):
    """A with eigenvalues in about 0.1 to 0.9, or K with the largest singular value about 1."""
    if rows:
        return random.standard_normal((rows, cells)) / (math.sqrt(rows) + math.sqrt(cells))
    half = random.standard_normal((cells, cells)) * (0.1 * math.sqrt(2) / math.sqrt(cells))
    return half + half.T + 0.5 * numpy.eye(cells)


def with_numpy(cells, rows):
    random = numpy.random.default_rng(1)
    array = numpy.ascontiguousarray(draw(random, cells, rows))
    transposed = array.T
    drive = 0.1 * random.standard_normal(cells)
    v = numpy.zeros(cells)
    s = numpy.zeros(cells)
    scratch = numpy.zeros(cells)
    y = numpy.zeros(max(rows, 1))
    before = random.standard_normal(cells)
    now = numpy.zeros(cells)
    damping = 0.1

    def run(ticks):
        nonlocal before, now
        for _ in range(ticks):
            if rows:
                numpy.dot(array, v, out=y)
                numpy.clip(y, -RAIL, RAIL, out=y)
                numpy.dot(transposed, y, out=s)
                numpy.subtract(drive, s, out=s)
                numpy.multiply(v, damping, out=scratch)
                numpy.subtract(s, scratch, out=s)
            else:
                numpy.dot(array, v, out=s)
                numpy.subtract(drive, s, out=s)
            random.standard_normal(out=now)
            numpy.multiply(s, TICK, out=s)
            numpy.add(v, s, out=v)
            numpy.add(before, now, out=before)
            numpy.multiply(before, KICK, out=before)
            numpy.add(v, before, out=v)
            numpy.clip(v, -RAIL, RAIL, out=v)
            before, now = now, before

    return run


def with_torch(cells, rows):
    array = torch.from_numpy(draw(numpy.random.default_rng(1), cells, rows)).float().contiguous()
    transposed = array.T
    drive = 0.1 * torch.randn(cells)
    v = torch.zeros(cells)
    s = torch.zeros(cells)
    y = torch.zeros(max(rows, 1))
    before = torch.randn(cells)
    now = torch.zeros(cells)
    damping = 0.1

    def run(ticks):
        nonlocal before, now
        with torch.inference_mode():
            for _ in range(ticks):
                if rows:
                    torch.mv(array, v, out=y)
                    y.clamp_(-RAIL, RAIL)
                    torch.mv(transposed, y, out=s)
                    s.add_(v, alpha=damping)
                else:
                    torch.mv(array, v, out=s)
                torch.sub(drive, s, out=s)
                now.normal_()
                before.add_(now)
                v.add_(s, alpha=TICK).add_(before, alpha=KICK).clamp_(-RAIL, RAIL)
                before, now = now, before

    return run


def with_jax(cells, rows):
    array = jax.numpy.asarray(draw(numpy.random.default_rng(1), cells, rows), dtype="float32")
    drive = jax.numpy.full(cells, 0.1, dtype="float32")
    key = jax.random.key(1)
    v = jax.numpy.zeros(cells, dtype="float32")
    before = jax.random.normal(key, (cells,), dtype="float32")
    steps = 64

    def tick(state, _):
        v, before, key, a, e = state
        key, fresh = jax.random.split(key)
        now = jax.random.normal(fresh, v.shape, dtype="float32")
        if rows:
            s = jax.numpy.clip(a @ v, -RAIL, RAIL) @ a + 0.1 * v
        else:
            s = a @ v
        v = jax.numpy.clip(v + TICK * (e - s) + KICK * (before + now), -RAIL, RAIL)
        return (v, now, key, a, e), None

    burst = jax.jit(lambda state: jax.lax.scan(tick, state, None, length=steps)[0])
    state = (v, before, key, array, drive)
    jax.block_until_ready(burst(state))

    def run(ticks):
        nonlocal state
        for _ in range(ticks // steps):
            state = burst(state)
        jax.block_until_ready(state[0])

    run.unit = steps
    return run


PEERS = {}
try:
    import numpy

    PEERS["numpy"] = (f"{numpy.__version__} float64", with_numpy)
    try:
        import torch

        torch.set_num_threads(1)
        PEERS["torch"] = (f"{torch.__version__} float32", with_torch)
    except ImportError:
        pass
    try:
        import jax

        PEERS["jax"] = (f"{jax.__version__} float32, jitted scan", with_jax)
    except ImportError:
        pass
except ImportError:
    pass

made = {}


def timed(peer, cells, rows, milliseconds):
    """Microseconds per tick over at least `milliseconds`; problems are made once and kept."""
    key = (peer, cells, rows)
    if key not in made:
        made.clear() if len(made) > 8 else None
        run = PEERS[peer][1](cells, rows)
        unit = getattr(run, "unit", 1)
        run(unit)
        start = time.perf_counter()
        run(unit)
        took = max(time.perf_counter() - start, 1e-7)
        made[key] = (run, unit, took / unit)
    run, unit, guess = made[key]
    ticks = max(1, round(milliseconds / 1000 / guess / unit)) * unit
    start = time.perf_counter()
    run(ticks)
    took = (time.perf_counter() - start) / ticks
    made[key] = (run, unit, took)
    return took * 1e6


for line in sys.stdin:
    request = json.loads(line)
    if "list" in request:
        answer = {"peers": {name: version for name, (version, _) in PEERS.items()}}
    else:
        answer = {
            "microsecondsPerTick": timed(
                request["peer"], request["cells"], request["rows"], request["milliseconds"]
            )
        }
    print(json.dumps(answer), flush=True)
