#!/usr/bin/env python3
"""Writes firmware-protocol/gaussian-table.generated.ts: the inverse normal distribution in integers.

    python3 firmware-protocol/tools/scripts/make-gaussian-table.py [FILE]   (standard library; `-` prints)

A 31-bit odd number x is 2^31 times twice a tail probability: |z| = -inverseCdf(x / 2^32), sigma = 2^12. Its
octave p and six further bits choose a segment, f (11 bits) a point in it: |z| = (base 2^14 + slope f + 2^13)
>> 14.

Segments are chords between neighbouring knots (slope = 8 (next base - base)), so |z| never rises with x.
Rounding knots to the nearest integer would leave errors of 1e-5 in the variance; instead each knot is rounded
down or up, whichever keeps the second and fourth moments on those of the normal distribution.
"""
import math
import os
import sys
from statistics import NormalDist

SIGMA = 4096
OCTAVES, SEGMENTS, POINTS = 31, 64, 2048
LARGEST = 25519  # 4096 * tail_quantile(1), as in limits.ts
NORMAL = NormalDist()


def tail_quantile(x):
    """z with probability x / 2^32 above it, in units of sigma."""
    return 0.0 if x >= 2.0**31 else -NORMAL.inv_cdf(x / 2.0**32)


def knot_position(p, segment):
    """x at f = 0 of a segment; where 2^(p-17) numbers share one f, the middle of them."""
    middle = 2.0 ** (p - 18) if p >= 18 else 0.0
    return 2.0**p * (1 + segment / SEGMENTS) + middle


def points_of(p, segment):
    """The f that odd numbers x reach in a segment, each equally often."""
    if p >= 18:
        return range(POINTS)
    low = (1 << p) + (segment << p) // SEGMENTS
    high = (1 << p) + ((segment + 1) << p) // SEGMENTS
    found = []
    for x in range(low | 1, max(high, low + 1), 2):
        m = x << (31 - p)
        if (m >> 25) & 63 == segment:
            found.append((m >> 14) & 2047)
    return found


def decode(base, slope, f):
    return ((base << 14) + slope * f + 8192) >> 14


POWER_SUMS = {}


def power_sums(p, segment, drop):
    """Sums over the segment's points of (z - base)^k, k = 0..4; z - base depends on the drop to the next knot
    alone."""
    key = drop if p >= 18 else (p, segment, drop)
    if key not in POWER_SUMS:
        offsets = [decode(0, -8 * drop, f) for f in points_of(p, segment)]
        POWER_SUMS[key] = [sum(o**k for o in offsets) for k in range(5)]
    return POWER_SUMS[key]


def moments(p, segment, base, drop):
    """Contribution of a segment to the second and fourth moment, in units of the normal distribution's (1 and
    3)."""
    s0, s1, s2, s3, s4 = power_sums(p, segment, drop)
    weight = 2.0 ** (p - 18 if p >= 18 else 0) / 2.0**30
    second = base**2 * s0 + 2 * base * s1 + s2
    fourth = base**4 * s0 + 4 * base**3 * s1 + 6 * base**2 * s2 + 4 * base * s3 + s4
    return weight * second / SIGMA**2, weight * fourth / (3 * SIGMA**4)


def wanted_moments(p, segment):
    """The same two contributions of the normal distribution itself. The ends of the segment are even numbers
    x, between the odd numbers of the table."""
    def primitive(x):
        if x <= 0:
            return 0.0, 0.0
        z = tail_quantile(x)
        density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        tail = x / 2.0**32
        return 2 * (tail + z * density), 2 * (tail + (z + z**3 / 3) * density)
    if not points_of(p, segment):
        return 0.0, 0.0
    low = 2**p * (1 + segment / SEGMENTS)
    high = 2**p * (1 + (segment + 1) / SEGMENTS)
    if p < 7:  # at most one number, which represents x - 1 ... x + 1
        low, high = low - 1, low + 1
    a, b = primitive(low), primitive(high)
    return b[0] - a[0], b[1] - a[1]


def badness(error2, error4):
    """The variance is more important, because it determines the noise temperature."""
    return error2**2 + (error4 / 8) ** 2


def order():
    """All segments by falling weight, that is by falling x."""
    return [(p, segment) for p in range(OCTAVES - 1, -1, -1) for segment in range(SEGMENTS - 1, -1, -1)]


def make_table():
    """The knots, and the pairs made of them. Knots are first rounded one after another. Then single knots are
    changed until no change helps."""
    places = order()
    knots = [0] * (len(places) + 1)  # knots[i + 1] belongs to places[i]; knots[0] is x = 2^31: z = 0
    allowed = []
    error2 = error4 = 0.0
    for i, place in enumerate(places):
        exact = SIGMA * tail_quantile(knot_position(*place))
        below = min(math.floor(exact), LARGEST)
        allowed.append((below, min(below + 1, LARGEST)))
        want2, want4 = wanted_moments(*place)
        best = None
        for base in allowed[i]:
            if base >= knots[i]:
                got2, got4 = moments(*place, base, base - knots[i])
                e2, e4 = error2 + got2 - want2, error4 + got4 - want4
                score = (badness(e2, e4), abs(base - exact))
                if best is None or score < best[0]:
                    best = (score, base, e2, e4)
        _, knots[i + 1], error2, error4 = best

    changed = True
    while changed:
        changed = False
        for i, place in enumerate(places):
            low, high = allowed[i]
            old = knots[i + 1]
            new = low + high - old
            after = knots[i + 2] if i + 2 < len(knots) else None
            if new == old or new < knots[i] or (after is not None and new > after):
                continue
            e2, e4 = error2, error4
            for sign, base in ((-1, old), (1, new)):
                parts = [moments(*place, base, base - knots[i])]
                if after is not None:
                    parts.append(moments(*places[i + 1], after, after - base))
                e2 += sign * sum(part[0] for part in parts)
                e4 += sign * sum(part[1] for part in parts)
            if badness(e2, e4) < badness(error2, error4):
                knots[i + 1], error2, error4, changed = new, e2, e4, True
    table = {place: (knots[i + 1], 8 * (knots[i] - knots[i + 1])) for i, place in enumerate(places)}
    return table, error2, error4


def fnv1a(words):
    """FNV-1a over the table as little-endian int16: enough to notice a changed entry."""
    h = 0x811C9DC5
    for word in words:
        for byte in (word & 0xFF, (word >> 8) & 0xFF):
            h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return h


def render():
    table, error2, error4 = make_table()
    words = [w for p in range(OCTAVES) for s in range(SEGMENTS) for w in table[p, s]]
    assert all(-32768 <= w <= 32767 for w in words), "an entry does not fit int16"
    print(f"second moment off by {error2:.1e}, fourth by {error4:.1e} (relative)", file=sys.stderr)
    lines = [
        "// Generated by firmware-protocol/tools/scripts/make-gaussian-table.py; do not edit.",
        "",
        "/** FNV-1a (32 bit) over the table as little-endian int16. */",
        f"export const GAUSSIAN_TABLE_CHECKSUM = {fnv1a(words)};",
        "",
        "/** Pairs (base, slope), 31 octaves × 64 segments: entry 2·(64·p + segment) and the next. */",
        "export const GAUSSIAN_TABLE = Int16Array.of(",
    ]
    for start in range(0, len(words), 16):
        lines.append("  " + ", ".join(str(w) for w in words[start : start + 16]) + ",")
    lines.append(");")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    default = os.path.join(os.path.dirname(__file__), "..", "..", "gaussian-table.generated.ts")
    target = sys.argv[1] if len(sys.argv) > 1 else default
    text = render()
    if target == "-":
        sys.stdout.write(text)
    else:
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)
