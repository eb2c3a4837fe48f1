#!/usr/bin/env python3
"""Writes firmware-protocol/vectors/device-steps.json and row-element.json: the results that a board must
compute, by an independent implementation.

    python3 firmware-protocol/tools/scripts/device-model-vectors.py          (standard library)
    python3 firmware-protocol/tools/scripts/device-model-vectors.py --check  exits with 1 when a file differs

The programs of row-element.json were drawn once by another program. Their expected results are computed again
here.

Written from docs/reference/device-model.md, not from the emulator: Philox, Gaussians, tick, ADC and state
digest, all in Python's unbounded integers, where >> is a floor. Only the Gaussian table is read from the
repository (its own test checks it). Every case has a board, a program in codes, seeds and a number of ticks.
Its results are v, c, r, q, flags, 16-bit ADC codes and digest.
"""
import json
import os
import re
import struct
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
MASK = 0xFFFFFFFF
RAIL = 20480 * 1024
DENSE, FACTORED = 0, 1


def gaussian_table():
    with open(os.path.join(HERE, "..", "..", "gaussian-table.generated.ts"), encoding="utf-8") as file:
        inside = re.search(r"Int16Array\.of\((.*?)\);", file.read(), re.S).group(1)
    return [int(number) for number in re.findall(r"-?\d+", inside)]


TABLE = gaussian_table()


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        first, second = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [second >> 32 ^ c[1] ^ k[0], second & MASK, first >> 32 ^ c[3] ^ k[1], first & MASK]
        k = [k[0] + 0x9E3779B9 & MASK, k[1] + 0xBB67AE85 & MASK]
    return c


def gaussian(word):
    x = (word & 0x7FFFFFFF) | 1
    p = x.bit_length() - 1
    m = x << (31 - p)
    segment, f = (m >> 25) & 63, (m >> 14) & 2047
    base, slope = TABLE[2 * (64 * p + segment)], TABLE[2 * (64 * p + segment) + 1]
    z = (base * 2**14 + slope * f + 2**13) >> 14
    return -z if word >> 31 else z


def z(die_seed, run_seed, tick, cell):
    group = 4 * (cell >> 4) + (cell & 3)
    words = philox((tick & MASK, tick >> 32, group, 0), (die_seed, run_seed))
    return gaussian(words[(cell >> 2) & 3])


def clamp(x, low, high):
    return max(low, min(high, x))


def row_output(y, table):
    """The row element: linear between the nodes at 256·(i − 80)."""
    node, rest = (y >> 8) + 80, y & 255
    following = table[min(node + 1, 160)]
    return table[node] + (((following - table[node]) * rest + 128) >> 8)


def run(case):
    board, program = case["board"], case["program"]
    n, m, rho = program["cells"], program["rows"], program["rowAttenuation"]
    k, rail = board["tickLog2"], board["rail"]
    align = 16 - program["couplingBits"]
    g = [clamp(code << align, -32767, 32767) for code in program["couplings"]]
    drive_step = 2 * board["driveRange"] * 2**24 >> board["driveBits"]
    e = [clamp(code * drive_step, -(2**26 - 1), 2**26 - 1) for code in program["drive"]]
    a, s, damping = program["noiseAmplitude"], program["noiseShift"], program["damping"]
    v = [clamp(code * 1024, -rail, rail) for code in program["initialState"]]
    c, r, q = [0] * n, [0] * n, [0] * m
    cell_flags, row_flags = [0] * n, [0] * m
    linear_rows = program.get("linearRows", m)
    row_table, row_drive = program.get("rowTable"), program.get("rowDrive", [0] * m)
    for tick in range(case["firstTick"], case["firstTick"] + case["ticks"]):
        w = [0] * n
        for i in range(n):
            u = v[i] + c[i]
            w[i] = u >> 10
            c[i] = u - w[i] * 2**10
        if program["mode"] == DENSE:
            total = [sum(g[i * n + j] * w[j] for j in range(n)) for i in range(n)]
        else:
            y = [0] * m
            for row in range(m):
                u = sum(g[row * n + j] * w[j] for j in range(n)) + q[row]
                y[row] = u >> (15 + rho)
                q[row] = u - y[row] * 2 ** (15 + rho)
                if abs(y[row]) > 20480:
                    y[row], q[row] = clamp(y[row], -20480, 20480), 0
                    row_flags[row] |= row < linear_rows
                if row >= linear_rows:
                    y[row] = row_output(y[row], row_table)
                y[row] -= row_drive[row]
            total = [2**rho * sum(g[row * n + i] * y[row] for row in range(m)) for i in range(n)]
        for i in range(n):
            t = 32 * e[i] - total[i] - damping * w[i] + r[i]
            delta = t >> (5 + k)
            r[i] = t - delta * 2 ** (5 + k)
            zeta = z(case["dieSeed"], case["runSeed"], tick, i) + z(case["dieSeed"], case["runSeed"], tick + 1, i)
            eta = (a * zeta + 2 ** (s - 1) + (-1 if zeta < 0 else 0)) >> s
            new = v[i] + delta + eta
            if abs(new) > rail:
                cell_flags[i] = 1
            v[i] = clamp(new, -rail, rail)
    adc = [clamp((value + 2**9) >> 10, -(2**15), 2**15 - 1) for value in v]
    tick = case["firstTick"] + case["ticks"]
    state = struct.pack(f"<{3 * n + m}i", *v, *c, *r, *q) + bytes(cell_flags + row_flags) + struct.pack("<Q", tick)
    return {
        "v": v, "c": c, "r": r, "q": q, "cellFlags": cell_flags, "rowFlags": row_flags,
        "adc16": adc, "digest": zlib.crc32(state),
    }


class Draw:
    """A small generator of our own. With it the cases do not depend on the version of Python."""

    def __init__(self, seed):
        self.counter, self.seed = 0, seed

    def integer(self, low, high):
        self.counter += 1
        return low + philox((self.counter, 0, 0, 0), (self.seed, 0))[0] % (high - low + 1)

    def integers(self, count, low, high):
        return [self.integer(low, high) for _ in range(count)]


def make_case(name, seed, mode, cells, rows, bits, tick_log2, ticks, *, rail=RAIL, rho=0, noise=(0, 8), damping=16384,
              coupling=None, drive=32768, state=16384, diagonal=0, first_tick=0):
    draw = Draw(seed)
    largest = coupling if coupling is not None else 2 ** (bits - 1) - 1
    couplings = draw.integers(rows * cells, -largest, largest)
    if mode == DENSE:
        for i in range(cells):
            couplings[i * cells + i] = diagonal
            for j in range(i):
                couplings[i * cells + j] = couplings[j * cells + i]
    return {
        "name": name,
        # The board has exactly the program's size, so the digest covers only these cells.
        "board": {"tickLog2": tick_log2, "rail": rail, "driveRange": 4, "driveBits": 16},
        "program": {
            "mode": mode, "cells": cells, "rows": rows, "couplingBits": bits, "rowAttenuation": rho,
            "couplings": couplings, "drive": draw.integers(cells, -drive, drive - 1),
            "initialState": draw.integers(cells, -state, state), "damping": damping,
            "noiseAmplitude": noise[0], "noiseShift": noise[1],
        },
        "dieSeed": draw.integer(0, MASK), "runSeed": draw.integer(0, MASK), "firstTick": first_tick, "ticks": ticks,
    }


def cases():
    yield make_case("dense, quiet", 1, DENSE, 5, 5, 16, 5, 40, diagonal=30000, coupling=5000, drive=2000)
    yield make_case("dense, noise, 18 cells", 2, DENSE, 18, 18, 8, 4, 12, diagonal=100, coupling=9, drive=2000,
                    noise=(20011, 11))
    yield make_case("dense, zero ticks", 3, DENSE, 3, 3, 12, 2, 0)
    yield make_case("dense, into the rails", 4, DENSE, 6, 6, 16, 2, 9, noise=(24575, 8), damping=MASK, state=32767)
    yield make_case("dense, low rail, tick beyond 32 bits", 5, DENSE, 4, 4, 4, 8, 7, rail=3 * 1024, damping=0,
                    diagonal=7, noise=(12288, 24), first_tick=2**32 - 3)
    yield make_case("factored, quiet", 6, FACTORED, 17, 3, 8, 5, 30, rho=4, coupling=40, drive=2000, damping=9830)
    yield make_case("factored, noise", 7, FACTORED, 6, 4, 16, 3, 20, rho=2, coupling=9000, drive=2000,
                    noise=(16000, 12), first_tick=2**52 + 12345)
    yield make_case("factored, row overload", 8, FACTORED, 8, 5, 16, 6, 8, state=32767)
    yield make_case("factored, largest attenuation", 9, FACTORED, 4, 2, 10, 5, 8, rho=12, noise=(13000, 8))
    yield with_element(make_case("row element, all rows", 10, FACTORED, 7, 11, 16, 4, 40, coupling=16000, drive=6000,
                                 noise=(20000, 12)), 100, 0, 30000, 32767)
    yield with_element(make_case("row element, some rows, 8-bit couplings, attenuated", 11, FACTORED, 17, 9, 8, 3, 25,
                                 rho=1, coupling=90, drive=3000, noise=(14000, 11)), 101, 4, 32767, 9000)
    yield with_element(make_case("row drives, all rows linear", 12, FACTORED, 5, 6, 12, 5, 30, coupling=900, drive=1000,
                                 state=32767), 102, 6, 20000, 32767)


def with_element(case, seed, linear_rows, largest, drive):
    draw, program = Draw(seed), case["program"]
    program["linearRows"] = linear_rows
    program["rowTable"] = draw.integers(161, -largest - 1, largest)
    program["rowDrive"] = draw.integers(program["rows"], -drive - 1, drive)
    return case


def finished(all_cases):
    for case in all_cases:
        case["expected"] = run(case)
        yield case


def render(about, all_cases):
    body = ",\n".join("  " + json.dumps(case, separators=(",", ":")) for case in all_cases)
    return f'{{"comment": {json.dumps(about)},\n "cases": [\n{body}\n]}}\n'


def check_coverage(all_cases):
    flags = [sum(case["expected"]["cellFlags"]) + sum(case["expected"]["rowFlags"]) for case in all_cases]
    assert flags[3] and flags[7] and not flags[0], "the cases do not cover saturation"
    assert not sum(all_cases[9]["expected"]["rowFlags"]), "rows with the element set no flag"


def main():
    folder = os.path.join(HERE, "..", "..", "vectors")
    steps = list(finished(cases()))
    check_coverage(steps)
    head = "Generated by firmware-protocol/tools/scripts/device-model-vectors.py; units as in docs/reference/device-model.md."
    with open(os.path.join(folder, "row-element.json"), encoding="utf-8") as file:
        given = json.load(file)["cases"]
    kept = "Programs with a row element; what they must give by the same script as device-steps.json."
    files = {"device-steps.json": render(head, steps), "row-element.json": render(kept, finished(given))}
    for name, text in files.items():
        path = os.path.join(folder, name)
        if "--check" not in sys.argv[1:]:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        else:
            with open(path, encoding="utf-8") as file:
                if file.read() != text:
                    sys.exit(f"{name} is another one: run this script without --check")


if __name__ == "__main__":
    main()
